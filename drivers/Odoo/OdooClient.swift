import FoundationEssentials
import HTTPApplication
import HubDriver
import HubModel

/// Odoo's JSON-2 interface: one method of one model per call, named arguments, one transaction each.
struct OdooClient: Sendable {
    let http: HTTPConnection
    let key: String
    /// The database, where the server has several.
    let database: String?
    let time: Duration
    /// The language of messages and translated members.
    let language: String

    /// Calls `method` of `model`.
    ///
    /// - Parameters:
    ///   - company: Odoo's id of the company that the call works in; nil: the user's own.
    ///   - context: more members of Odoo's context.
    func call(
        _ model: String, _ method: String, _ arguments: Fields = Fields(), company: Int64? = nil, context: Fields = Fields()
    ) async throws(OdooFailure) -> Value {
        var body = arguments
        // Dates and moments are told and taken in UTC, messages in one language, whatever the user prefers.
        var whole = Fields([("lang", .string(language)), ("tz", "UTC")]).overlaid(with: context)
        if let company { whole["allowed_company_ids"] = .array([.number(Number(company))]) }
        body["context"] = .object(whole)
        var headers = [HTTPCall.Header("Authorization", "bearer \(key)")]
        if let database { headers.append(HTTPCall.Header("X-Odoo-Database", database)) }
        let reply: HTTPReply
        do throws(HTTPFailure) {
            reply = try await http.send(.post("/json/2/\(model)/\(method)", json: .object(body), headers: headers, time: time))
        } catch {
            throw OdooFailure(error)
        }
        return try Self.result(of: reply, "\(model).\(method)")
    }

    /// What an answer means.
    static func result(of reply: HTTPReply, _ call: String) throws(OdooFailure) -> Value {
        let value = try? reply.json()
        if reply.isSuccess {
            guard let value else { throw .unusable("\(call): the answer is no JSON: \(reply.excerpt)") }
            return value
        }
        if let wait = reply.retryAfter(now: Instant(milliseconds: Int64(Date().timeIntervalSince1970 * 1000))) {
            throw .busy(after: wait, "\(call): the server is busy (\(reply.status))")
        }
        guard let name = value?["name"]?.text else {
            switch reply.status {
            case 401, 403: throw .unauthorised("\(call) is refused (\(reply.status)): \(reply.excerpt)")
            // A proxy that lost its server cannot know what became of the call.
            case 500...599: throw .noAnswer("\(call): \(reply.status) from something before Odoo: \(reply.excerpt)")
            default: throw .unusable("\(call): \(reply.status), which Odoo does not answer: \(reply.excerpt)")
            }
        }
        // The message of some exceptions is all their arguments in a row; the first argument is the words for people.
        let words = value?["arguments"]?.array?.first?.text ?? value?["message"]?.text ?? ""
        let refusal = OdooRefusal(status: reply.status, name: name, message: words)
        if reply.status == 401 { throw .unauthorised("Odoo does not accept the key: \(refusal.message)") }
        if refusal.isPassing { throw .busy(after: .milliseconds(200), "\(call): \(refusal)") }
        throw .refused(refusal)
    }

    // MARK: What drivers ask

    /// Members of documents, keys as plain numbers; documents that do not exist are left out.
    func read(_ model: String, _ ids: [Int64], _ members: [String], company: Int64? = nil) async throws(OdooFailure) -> [Fields] {
        if ids.isEmpty { return [] }
        let arguments: Fields = ["ids": Self.keys(ids), "fields": Self.texts(members), "load": ""]
        return try Self.rows(try await call(model, "read", arguments, company: company, context: ["active_test": false]), model)
    }

    /// Members of the documents that a domain selects, archived ones too.
    func search(
        _ model: String, _ domain: [Value], _ members: [String], order: String, limit: Int? = nil, offset: Int = 0, company: Int64? = nil,
        archived: Bool = true
    ) async throws(OdooFailure) -> [Fields] {
        var arguments: Fields = ["domain": .array(domain), "fields": Self.texts(members), "order": .string(order), "load": ""]
        if let limit { arguments["limit"] = .number(Number(Int64(limit))) }
        if offset > 0 { arguments["offset"] = .number(Number(Int64(offset))) }
        let context: Fields = archived ? ["active_test": false] : Fields()
        return try Self.rows(try await call(model, "search_read", arguments, company: company, context: context), model)
    }

    /// Changes documents.
    func write(_ model: String, _ id: Int64, _ members: Fields, company: Int64?) async throws(OdooFailure) {
        _ = try await call(model, "write", ["ids": Self.keys([id]), "vals": .object(members)], company: company)
    }

    static func keys(_ ids: [Int64]) -> Value { .array(ids.map { .number(Number($0)) }) }
    static func texts(_ names: [String]) -> Value { .array(names.map { .string($0) }) }

    private static func rows(_ value: Value, _ model: String) throws(OdooFailure) -> [Fields] {
        guard let rows = value.array else { throw .unusable("\(model): a list was expected, not \(JSONText.text(value).prefix(100))") }
        return rows.compactMap(\.object)
    }
}
