import HTTPApplication
import HubDriver
import HubModel

/// Why a request did not end well, by what it means for the document.
enum CallFailure: Error, Sendable {
    /// It surely had no effect: no connection, no token, a gateway that says so.
    case unreachable(String)
    /// It may have had an effect.
    case noAnswer(String)
    case refused(Rejection)
    /// The document is not in the state that the request was conditional on.
    case changed
    case gone
    /// It failed this time, without effect.
    case passing(after: Duration, String)
    /// Not yet, through no fault of the document.
    case busy(after: Duration, String)
    case unauthorised(String)
    /// The recipe does not fit the application.
    case misconfigured(String)

    init(_ failure: HTTPFailure) {
        self = failure.kind == .unreachable ? .unreachable(failure.message) : .noAnswer(failure.message)
    }

    /// The failure of a question: without an answer nothing has happened either.
    var ofQuestion: CallFailure { if case .noAnswer(let text) = self { .unreachable(text) } else { self } }

    /// What the hub is told where it asked.
    var driverError: DriverError {
        switch self {
        case .unreachable(let text): DriverError(.unreachable, text)
        case .passing(let after, let text), .busy(let after, let text):
            DriverError(.unreachable, "\(text); again in \(after.milliseconds / 1000 + 1) s")
        case .noAnswer(let text): DriverError(.noAnswer, text)
        case .unauthorised(let text): DriverError(.unauthorised, text)
        case .misconfigured(let text): DriverError(.configuration, text)
        case .refused(let rejection): DriverError(.protocolViolation, "the question was refused: \(rejection)")
        case .changed: DriverError(.protocolViolation, "a question was answered as if it were a conditional write")
        case .gone: DriverError(.protocolViolation, "the address is not there: look at the recipe's path")
        }
    }

    /// The answer to a delivery; nil where nothing has happened and the whole batch may say so.
    func answer(hasEffect: Bool) -> Answer? {
        switch self {
        case .noAnswer(let text): return .noAnswer(reason: text)
        case .unreachable(let text), .unauthorised(let text), .misconfigured(let text):
            return hasEffect ? .noAnswer(reason: text) : nil
        case .passing(let after, let text): return hasEffect ? .noAnswer(reason: text) : .retry(after: after, reason: text)
        case .busy(let after, let text): return hasEffect ? .noAnswer(reason: text) : .later(after: after, reason: text)
        case .refused(let rejection): return hasEffect ? .noAnswer(reason: "half done, then refused: \(rejection)") : .rejected(rejection)
        case .changed: return hasEffect ? .noAnswer(reason: "half done, then changed") : .changed
        case .gone: return hasEffect ? .noAnswer(reason: "half done, then gone") : .gone
        }
    }
}
