import FoundationEssentials
package import HubDriver
import HubModel

extension OdooDriver {
    package func answer(_ question: Question) async throws(DriverError) -> FunctionReply {
        do throws(OdooFailure) {
            switch question.function {
            case FunctionManifest.price.name: return try await price(question)
            case FunctionManifest.stock.name: return try await stock(question)
            case FunctionManifest.credit.name: return try await credit(question)
            case FunctionManifest.validate.name: return try await validate(question)
            case let other: return .refused(Rejection(rule: "unknown-function", text: "Odoo answers no \(other)."))
            }
        } catch {
            guard case .refused(let refusal) = error else { throw error.driverError }
            if refusal.isMissing { return .refused(refusal.rejection) }
            // Not this user's, or a module that is not installed.
            if refusal.status == 403 || refusal.status == 404 { return .cannotSay(reason: refusal.message) }
            return .refused(refusal.rejection)
        }
    }

    var now: Instant { Instant(milliseconds: Int64(Date().timeIntervalSince1970 * 1000)) }

    /// The day on which a question is asked, in UTC as all of the driver's moments.
    var today: String { now.utc.date.description }

    /// The document that a question names; nil where it names none.
    func named(_ parameter: String, in question: Question) throws(OdooFailure) -> Int64? {
        guard let text = question.arguments[parameter]?.keyText else { return nil }
        guard let id = Int64(text), id > 0 else { throw .refused(.missing("\(text) is no number of a document.", field: parameter)) }
        return id
    }

    func required(_ parameter: String, in question: Question) throws(OdooFailure) -> Int64 {
        guard let id = try named(parameter, in: question) else {
            throw .refused(.missing("The question names no \(parameter).", field: parameter))
        }
        return id
    }

    /// The first of these documents' members.
    func asked(
        _ model: String, _ id: Int64, _ members: [String], company: Int64?, context: Fields = Fields(), as parameter: String
    ) async throws(OdooFailure) -> Fields {
        let arguments: Fields = ["ids": OdooClient.keys([id]), "fields": OdooClient.texts(members), "load": ""]
        let found = try await client.call(model, "read", arguments, company: company, context: context).array?.first?.object
        guard let found else { throw .refused(.missing("\(model) \(id) does not exist.", field: parameter)) }
        return found
    }
}

extension OdooRefusal {
    /// A document of a question that is not there.
    static func missing(_ message: String, field: String) -> OdooRefusal {
        OdooRefusal(status: 404, name: "odoo.exceptions.MissingError", message: message, field: field)
    }
}

extension Number {
    /// Without the last digits of a binary float, and with as few decimals as the value has, two at least.
    var withoutNoise: Number {
        let most = 6
        guard let whole = rounded(toScale: most) else { return self }
        return (2..<most).lazy.compactMap { whole.rounded(toScale: $0, .exact) }.first ?? whole
    }
}
