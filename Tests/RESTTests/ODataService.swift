import HubDriver
import HubModel
import Synchronization

@testable import StandIns

/// An OData v4 service in the shape of Business Central's API v2.0: key predicates, conditions on every change, JSON batches with change
/// sets, next links, an interface that answers unknown properties with errors. With ``State/needsForgeryToken`` it wants CSRF tokens too.
final class ODataService: Sendable {
    typealias Request = StrictServer.Request
    typealias Response = StrictServer.Response

    struct State: Sendable {
        var tables: [String: Table]
        var bearer: Set<String> = []
        var issued = 0
        var needsForgeryToken = false
        /// The token against forgery that holds now.
        var forgery = "f1"
        var locked: Set<String> = []
    }

    static let company = "11111111-2222-3333-4444-555555555555"
    static let root = "/v2.0/contoso/Production/api/v2.0"
    static let types = ["customers": "customer", "items": "item", "salesOrders": "salesOrder", "salesOrderLines": "salesOrderLine"]

    let state: Mutex<State>

    init() {
        let code = { (name: String) in Table.Column(name: name, kind: .text(most: 20)) }
        let text = { (name: String, most: Int) in Table.Column(name: name, kind: .text(most: most)) }
        state = Mutex(
            State(tables: [
                "customers": Table([
                    .init(name: "number", kind: .text(most: 20), isUnique: true),
                    .init(name: "displayName", kind: .text(most: 100), isRequired: true),
                    text("addressLine1", 100), text("city", 30), code("postalCode"), code("country"), text("email", 80),
                    text("phoneNumber", 30), text("taxRegistrationNumber", 20), .init(name: "creditLimit", kind: .decimal(scale: 2)),
                    .init(name: "hubReference", kind: .text(most: 50), isUnique: true),
                    .init(name: "balanceDue", kind: .decimal(scale: 2), isReadOnly: true),
                ]),
                "items": Table([
                    .init(name: "number", kind: .text(most: 20), isUnique: true),
                    .init(name: "displayName", kind: .text(most: 100), isRequired: true),
                    .init(name: "unitPrice", kind: .decimal(scale: 4)), code("baseUnitOfMeasureCode"), text("gtin", 14),
                    .init(name: "blocked", kind: .boolean), .init(name: "hubReference", kind: .text(most: 50), isUnique: true),
                    .init(name: "inventory", kind: .decimal(scale: 5), isReadOnly: true),
                ]),
                "salesOrders": Table([
                    .init(name: "customerId", kind: .reference("customers"), isRequired: true), .init(name: "orderDate", kind: .date),
                    text("externalDocumentNumber", 35), text("phoneNumber", 30), text("email", 80),
                    .init(name: "number", kind: .text(most: 20), isReadOnly: true),
                ]),
                "salesOrderLines": Table([
                    .init(name: "documentId", kind: .reference("salesOrders"), isRequired: true), .init(name: "sequence", kind: .integer),
                    .init(name: "itemId", kind: .reference("items")), .init(name: "quantity", kind: .decimal(scale: 5)),
                    .init(name: "unitPrice", kind: .decimal(scale: 4)), text("description", 100),
                ]),
            ]))
    }

    /// A person's change.
    func edit(_ set: String, _ key: String, _ fields: Fields) throws {
        try state.withLock { state in _ = try state.tables[set]?.update(key, fields) { _, _ in true } }
    }

    func answer(_ request: Request) -> Response {
        state.withLock { state in
            if request.path == "/contoso/oauth2/v2.0/token" { return Self.token(request, &state) }
            guard let token = request.headers["authorization"]?.split(separator: " ").last, state.bearer.contains(String(token)) else {
                return Self.error(401, "Authentication_InvalidCredentials", "The server has rejected the client credentials.")
            }
            if state.needsForgeryToken {
                if request.method == "GET", request.headers["x-csrf-token"]?.lowercased() == "fetch" {
                    return Response(
                        200, ["value": []], ["X-CSRF-Token": state.forgery, "Set-Cookie": "session=\(state.forgery); Path=/; HttpOnly"])
                }
                let holds = request.headers["x-csrf-token"] == state.forgery && request.headers["cookie"] == "session=\(state.forgery)"
                if request.method != "GET", !holds { return Response(403, nil, ["X-CSRF-Token": "Required"]) }
            }
            guard request.path.hasPrefix(Self.root) else {
                return Self.error(404, "BadRequest_NotFound", "Bad Request - Error in query syntax")
            }
            let path = String(request.path.dropFirst(Self.root.count))
            switch path {
            case "/$metadata": return Self.metadata(request, state)
            case "/$batch": return Self.batch(request, &state)
            default: return Self.routed(request, path, &state)
            }
        }
    }

    static func token(_ request: Request, _ state: inout State) -> Response {
        let form = Request.pairs(Substring(String(decoding: request.body, as: UTF8.self)))
        guard form["client_id"] == "app", form["client_secret"] == "secret", form["scope"]?.hasSuffix("/.default") == true else {
            return Response(401, ["error": "invalid_client", "error_description": "AADSTS7000215: Invalid client secret provided."])
        }
        state.issued += 1
        state.bearer.insert("bc-\(state.issued)")
        return Response(200, ["access_token": .string("bc-\(state.issued)"), "token_type": "Bearer", "expires_in": 3599])
    }

    // MARK: Addresses

    /// A step of a path: `customers(…)` or `salesOrderLines`.
    static func step(_ text: Substring) -> (set: String, key: String?) {
        guard let open = text.firstIndex(of: "("), text.hasSuffix(")") else { return (String(text), nil) }
        return (String(text[..<open]), String(text[text.index(after: open)...].dropLast()))
    }

    static func routed(_ request: Request, _ path: String, _ state: inout State) -> Response {
        if !request.body.isEmpty, request.headers["content-type"] != "application/json" {
            return error(415, "BadRequest", "The media type is not supported.")
        }
        let steps = path.split(separator: "/").map(step)
        guard let first = steps.first, first.set == "companies" else {
            return error(404, "BadRequest_NotFound", "Bad Request - Error in query syntax")
        }
        if steps.count == 1, first.key == nil {
            return Response(200, ["value": [["id": .string(company), "systemVersion": "27.0.1"]]])
        }
        guard first.key == company, steps.count >= 2, state.tables[steps[1].set] != nil else {
            return error(404, "BadRequest_NotFound", "Bad Request - Error in query syntax")
        }
        let (set, key) = steps[1]
        if steps.count == 3, set == "salesOrders", steps[2].set == "salesOrderLines", let key {
            return line(request, order: key, steps[2].key, &state)
        }
        switch (request.method, key) {
        case ("GET", nil): return list(request, set, state)
        case ("GET", let key?):
            guard let row = state.tables[set]?.rows[key] else { return missing(set) }
            return document(request, set, row, state, 200)
        case ("POST", nil): return insert(request, set, &state)
        case ("PATCH", let key?), ("DELETE", let key?): return change(request, set, key, &state)
        default: return error(405, "BadRequest_MethodNotAllowed", "The method is not allowed here.")
        }
    }

    // MARK: Reading

    static func etag(_ row: Table.Row) -> String { "W/\"JzE5O\(row.number).\(row.version)\"" }

    static func lines(_ order: String, _ state: State) -> [Table.Row] {
        (state.tables["salesOrderLines"]?.inOrder ?? []).filter { $0.fields["documentId"]?.text == order }
            .sorted { ($0.fields["sequence"]?.integer ?? 0, $0.number) < ($1.fields["sequence"]?.integer ?? 0, $1.number) }
    }

    static func shown(_ set: String, _ row: Table.Row, _ state: State, expanded: Bool) -> Fields {
        var fields = row.fields
        fields["@odata.etag"] = .string(etag(row))
        if set == "salesOrderLines" { return fields }
        fields["id"] = .string(row.key)
        fields["lastModifiedDateTime"] = .string(MomentText.text(Instant(milliseconds: row.modified)))
        if set == "salesOrders" {
            fields["number"] = .string("S-ORD\(100_000 + row.number)")
            fields["status"] = "Draft"
            if expanded {
                fields["salesOrderLines@odata.context"] = "$metadata#salesOrderLines"
                fields["salesOrderLines"] = .array(
                    lines(row.key, state).map { .object(shown("salesOrderLines", $0, state, expanded: false)) })
            }
        }
        if set == "items" { fields["inventory"] = .number(Number(Int64(row.number * 10))) }
        return fields
    }

    static func document(_ request: Request, _ set: String, _ row: Table.Row, _ state: State, _ status: Int) -> Response {
        var fields = shown(set, row, state, expanded: request.query["$expand"] == "salesOrderLines")
        fields["@odata.context"] = .string("$metadata#\(set)/$entity")
        return Response(status, .object(fields), ["ETag": etag(row), "OData-Version": "4.0"])
    }

    static func list(_ request: Request, _ set: String, _ state: State) -> Response {
        guard let table = state.tables[set] else { return missing(set) }
        let query = request.query
        let allowed: Set<String> = ["$filter", "$orderby", "$expand", "$skiptoken", "$top", "$select"]
        if let unknown = Set(query.keys).subtracting(allowed).first {
            return error(400, "BadRequest", "The option \(unknown) is not known.")
        }
        let isByChange = query["$orderby"] == "lastModifiedDateTime"
        var rows = isByChange ? table.byChange : table.rows.values.sorted { $0.key < $1.key }
        if let filter = query["$filter"] {
            guard let test = test(filter, table) else { return error(400, "BadRequest", "Could not read the filter \(filter).") }
            rows = rows.filter(test)
        }
        if let token = query["$skiptoken"] {
            let place = token.split(separator: "~").map(String.init)
            guard place.count == 2 else { return error(400, "BadRequest", "The token is none of this service.") }
            rows = rows.filter { isByChange ? ($0.modified, $0.key) > (Int64(place[0]) ?? 0, place[1]) : $0.key > place[1] }
            if isByChange { rows.sort { ($0.modified, $0.key) < ($1.modified, $1.key) } }
        } else if isByChange {
            rows.sort { ($0.modified, $0.key) < ($1.modified, $1.key) }
        }
        let size = request.headers["prefer"]?.split(separator: "=").last.flatMap { Int($0) } ?? 20
        let page = rows.prefix(size)
        var answer: Fields = [
            "value": .array(page.map { .object(shown(set, $0, state, expanded: query["$expand"] == "salesOrderLines")) }),
            "@odata.context": .string("$metadata#\(set)"),
        ]
        if rows.count > size, let last = page.last {
            var options = request.uri.split(separator: "?").dropFirst().first?.split(separator: "&") ?? []
            options.removeAll { $0.hasPrefix("$skiptoken") }
            options.append("$skiptoken=\(last.modified)~\(last.key)")
            let host = request.headers["host"] ?? ""
            let path = request.uri.prefix { $0 != "?" }
            answer["@odata.nextLink"] = .string("http://\(host)\(path)?\(options.joined(separator: "&"))")
        }
        return Response(200, .object(answer), ["OData-Version": "4.0"])
    }

    /// `name eq 'text'` and `lastModifiedDateTime ge moment`.
    static func test(_ filter: String, _ table: Table) -> ((Table.Row) -> Bool)? {
        let words = filter.split(separator: " ", maxSplits: 2).map(String.init)
        guard words.count == 3 else { return nil }
        if words[0] == "lastModifiedDateTime", words[1] == "ge", let moment = MomentText.instant(words[2]) {
            return { $0.modified >= moment.milliseconds }
        }
        guard words[1] == "eq", words[2].hasPrefix("'"), words[2].hasSuffix("'"), table.columns.contains(where: { $0.name == words[0] })
        else {
            return nil
        }
        let inner = words[2].dropFirst().dropLast()
        let text = inner.split(separator: "''", omittingEmptySubsequences: false).joined(separator: "'")
        if inner.filter({ $0 == "'" }).count % 2 == 1 { return nil }
        return { $0.fields[words[0]]?.text == text }
    }
}
