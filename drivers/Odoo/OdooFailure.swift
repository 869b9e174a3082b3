import HTTPApplication
import HubDriver
import HubModel

/// Why a call of Odoo's interface gave no result, told apart by what a driver can do about it.
enum OdooFailure: Error, Sendable {
    /// The call never arrived.
    case unreachable(String)
    /// The call was sent and no whole answer came: it may have taken effect.
    case noAnswer(String)
    /// Not now; the transaction was rolled back.
    case busy(after: Duration, String)
    /// The key is not accepted, or its user may not do this at all.
    case unauthorised(String)
    /// Odoo refused the call and rolled its transaction back.
    case refused(OdooRefusal)
    /// The answer is nothing that Odoo's interface allows.
    case unusable(String)

    init(_ failure: HTTPFailure) {
        switch failure.kind {
        case .unreachable: self = .unreachable(failure.message)
        case .noAnswer: self = .noAnswer(failure.message)
        case .unusable: self = .unusable(failure.message)
        }
    }

    /// The failure of a question, of which nothing can have had an effect.
    var driverError: DriverError {
        switch self {
        case .unreachable(let text): DriverError(.unreachable, text)
        case .noAnswer(let text): DriverError(.noAnswer, text)
        case .busy(_, let text): DriverError(.unreachable, text)
        case .unauthorised(let text): DriverError(.unauthorised, text)
        case .refused(let refusal) where refusal.status == 403: DriverError(.unauthorised, "Odoo's user may not do this: \(refusal)")
        case .refused(let refusal): DriverError(.protocolViolation, "Odoo refuses a question: \(refusal)")
        case .unusable(let text): DriverError(.protocolViolation, text)
        }
    }
}

/// An error that Odoo answered: `{"name": …, "message": …}` with a status.
struct OdooRefusal: Sendable, Hashable, CustomStringConvertible {
    var status: Int
    /// The exception's dotted name: `odoo.exceptions.UserError`.
    var name: String
    var message: String
    /// The member at fault, where Odoo says it in a place of its own.
    var field: String?

    var description: String { "\(name) (\(status)): \(message)" }

    /// The exception's last name: `UserError`.
    var kind: String { name.split(separator: ".").last.map(String.init) ?? name }

    /// True where a document that the call names does not exist.
    var isMissing: Bool { kind == "MissingError" }

    /// True where another transaction stood in the way: the same call may succeed.
    var isPassing: Bool {
        [
            "SerializationFailure", "DeadlockDetected", "LockNotAvailable", "OperationalError", "InterfaceError", "QueryCanceled",
            "TransactionRollbackError", "PoolError", "LockError", "ConcurrencyError", "AdminShutdown",
        ].contains(kind)
    }
}
