import HubDriver
import HubModel
import Synchronization

/// An application with a REST interface of its own making, strict about it: OAuth, media types, conditional writes, unknown members.
final class PlainService: Sendable {
    typealias Request = StrictServer.Request
    typealias Response = StrictServer.Response

    struct State: Sendable {
        var tables: [String: Table] = [
            "customers": Table([
                .init(name: "code", kind: .text(most: 60), isRequired: true, isUnique: true),
                .init(name: "name", kind: .text(most: 2 << 20)),
                .init(name: "city", kind: .text(most: 200)), .init(name: "limit", kind: .decimal(scale: 2)),
                .init(name: "since", kind: .date), .init(name: "hub_ref", kind: .text(most: 80), isUnique: true),
            ]),
            "products": Table([
                .init(name: "code", kind: .text(most: 60), isRequired: true, isUnique: true), .init(name: "name", kind: .text(most: 500)),
                .init(name: "price", kind: .decimal(scale: 4)), .init(name: "active", kind: .boolean),
                .init(name: "hub_ref", kind: .text(most: 80)), .init(name: "note", kind: .text(most: 500)),
            ]),
            "orders": Table([
                .init(name: "customer", kind: .reference("customers"), isRequired: true), .init(name: "remark", kind: .text(most: 500)),
                .init(name: "place", kind: .text(most: 500)), .init(name: "lines", kind: .list),
                .init(name: "hub_ref", kind: .text(most: 80)), .init(name: "total", kind: .decimal(scale: 2), isReadOnly: true),
            ]),
        ]
        var tokens: Set<String> = []
        var issued = 0
        /// Keys of documents that somebody has locked.
        var locked: Set<String> = []
        /// Requests left until 429; nil without a limit.
        var allowance: Int?
    }

    let state = Mutex(State())
    static let client = (id: "hub", secret: "s3cret ä&=")

    func table(_ name: String) -> Table { state.withLock { $0.tables[name] ?? Table([]) } }

    /// A person's change.
    func edit(_ table: String, _ key: String, _ fields: Fields) throws {
        try state.withLock { state in _ = try state.tables[table]?.update(key, fields) { _, _ in true } }
    }

    func answer(_ request: Request) -> Response {
        state.withLock { state in
            if let left = state.allowance {
                if left == 0 { return Self.error(429, "too_many", nil, "Slow down.", ["Retry-After": "2"]) }
                state.allowance = left - 1
            }
            if request.path == "/oauth/token" { return Self.token(request, &state) }
            guard let token = request.headers["authorization"]?.split(separator: " ").last, state.tokens.contains(String(token)) else {
                return Self.error(401, "unauthorised", nil, "Who are you?", ["WWW-Authenticate": "Bearer"])
            }
            if !request.body.isEmpty, request.headers["content-type"] != "application/json" {
                return Self.error(415, "media_type", nil, "Only application/json is read.")
            }
            return Self.routed(request, &state)
        }
    }

    private static func token(_ request: Request, _ state: inout State) -> Response {
        let form = Request.pairs(Substring(String(decoding: request.body, as: UTF8.self)))
        guard request.method == "POST", request.headers["content-type"] == "application/x-www-form-urlencoded" else { return Response(415) }
        guard form["grant_type"] == "client_credentials", form["client_id"] == client.id, form["client_secret"] == client.secret else {
            return Response(400, ["error": "invalid_client", "error_description": "No such client."])
        }
        state.issued += 1
        let token = "token-\(state.issued)"
        state.tokens.insert(token)
        return Response(200, ["access_token": .string(token), "token_type": "Bearer", "expires_in": 3600])
    }

    private static func routed(_ request: Request, _ state: inout State) -> Response {
        let parts = request.path.split(separator: "/").map(String.init)
        guard parts.count >= 2, parts[0] == "api" else { return error(404, "not_found", nil, "No such address.") }
        if parts[1] == "about" { return Response(200, ["instance": "plain-1", "release": "7.2"]) }
        if parts[1] == "openapi.json" { return Response(200, description(state)) }
        if parts[1] == "price" { return price(request, state) }
        guard let table = state.tables[parts[1]] else { return error(404, "not_found", nil, "No such address.") }
        switch (request.method, parts.count) {
        case ("GET", 2): return list(request, parts[1], table)
        case ("GET", 3):
            guard let row = table.rows[parts[2]] else { return error(404, "not_found", nil, "No such document.") }
            return document(parts[1], row, 200)
        case ("POST", 2): return insert(request, parts[1], &state)
        case ("PUT", 4) where parts[2] == "by-ref": return upsert(request, parts[1], parts[3], &state)
        case ("PATCH", 3), ("PUT", 3), ("DELETE", 3): return change(request, parts[1], parts[2], &state)
        default: return error(405, "method", nil, "Not here.")
        }
    }

    // MARK: Reading

    private static func shown(_ type: String, _ row: Table.Row) -> Value {
        var fields = row.fields
        fields["id"] = .string(row.key)
        fields["updated_at"] = .string(MomentText.text(Instant(milliseconds: row.modified)))
        if type == "products" { fields["change"] = .string(String(row.change)) }
        if type == "orders" { fields["version"] = .number(Number(Int64(row.version))) }
        return .object(fields)
    }

    private static func document(_ type: String, _ row: Table.Row, _ status: Int) -> Response {
        let value = shown(type, row)
        switch type {
        case "customers": return Response(status, value, ["ETag": "\"v\(row.version)\""])
        case "orders": return Response(status, ["order": value])
        default: return Response(status, value)
        }
    }

    private static func list(_ request: Request, _ type: String, _ table: Table) -> Response {
        let query = request.query
        var rows = query["updated_since"] != nil || query["sort"] == "updated" ? table.byChange : table.inOrder
        if let since = query["updated_since"].flatMap({ MomentText.instant($0) }) { rows.removeAll { $0.modified < since.milliseconds } }
        if query["sort"] == "change" { rows = table.byNumber }
        if let last = query["changed_after"].flatMap({ Int64($0) }) { rows.removeAll { $0.change <= last } }
        if let reference = query["hub_ref"] { rows.removeAll { $0.fields["hub_ref"]?.text != reference } }
        let size = query["size"].flatMap { Int($0) } ?? 50
        switch type {
        case "customers":
            let page = query["page"].map { Int($0) ?? 0 } ?? 1
            guard page >= 1 else {
                return error(400, "page", nil, "Pages count from 1.")
            }
            rows = Array(rows.dropFirst((page - 1) * size).prefix(size))
            return Response(200, ["items": .array(rows.map { shown(type, $0) })])
        case "products":
            let offset = query["offset"].flatMap { Int($0) } ?? 0
            return Response(200, .array(rows.dropFirst(offset).prefix(size).map { shown(type, $0) }))
        default:
            // The cursor names the place by what cannot move: the change and the number of the last document told.
            let place = (query["cursor"] ?? "").split(separator: "-").compactMap { Int64($0) }
            let isByChange = query["sort"] == "updated" || query["updated_since"] != nil
            if place.count == 2 { rows.removeAll { (isByChange ? $0.modified : 0, Int64($0.number)) <= (place[0], place[1]) } }
            let page = rows.prefix(size)
            var answer: Fields = ["orders": .array(page.map { shown(type, $0) })]
            if rows.count > size, let last = page.last { answer["next"] = .string("\(isByChange ? last.modified : 0)-\(last.number)") }
            return Response(200, .object(answer))
        }
    }

    private static func price(_ request: Request, _ state: State) -> Response {
        guard let row = state.tables["products"]?.rows[request.query["product"] ?? ""] else {
            return error(422, "unknown_product", "product", "There is no such product.")
        }
        guard let price = row.fields["price"]?.number else { return Response(200, [:]) }
        return Response(200, ["price": ["amount": .number(price), "currency": "EUR"], "at": "2026-11-21T10:00:00Z"])
    }

    // MARK: Writing

    private static func body(_ request: Request, _ type: String) -> Fields? {
        let value = type == "orders" ? request.json?["order"] : request.json
        return value?.object
    }

    private static func insert(_ request: Request, _ type: String, _ state: inout State) -> Response {
        guard type != "customers" else { return error(405, "method", nil, "Customers are put by reference.") }
        guard let fields = body(request, type) else { return error(400, "body", nil, "That is no document.") }
        return written(type, 201) { (state) throws(Table.Violation) in
            let known = state.tables.mapValues { Set($0.rows.keys) }
            return try state.tables[type]?.insert(fields, key: { "\(type.prefix(1))\($0)" }, exists: { known[$0]?.contains($1) ?? false })
        }(&state)
    }

    private static func upsert(_ request: Request, _ type: String, _ reference: String, _ state: inout State) -> Response {
        guard var fields = body(request, type) else { return error(400, "body", nil, "That is no document.") }
        let held = state.tables[type]?.rows.values.first { $0.fields["hub_ref"]?.text == reference }
        if request.headers["if-none-match"] == "*", held != nil { return error(412, "exists", nil, "It is there already.") }
        if held != nil { return error(428, "condition", nil, "Say what state you mean.") }
        fields["hub_ref"] = .string(reference)
        let whole = fields
        return written(type, 201) { (state) throws(Table.Violation) in
            try state.tables[type]?.insert(whole, key: { "c\($0)" }, exists: { _, _ in true })
        }(&state)
    }

    private static func change(_ request: Request, _ type: String, _ key: String, _ state: inout State) -> Response {
        guard let row = state.tables[type]?.rows[key] else { return error(404, "not_found", nil, "No such document.") }
        if state.locked.contains(key) { return error(423, "locked", nil, "Somebody has it open.") }
        var fields = Fields()
        if request.method != "DELETE" {
            guard let body = body(request, type) else { return error(400, "body", nil, "That is no document.") }
            fields = body
        }
        if type == "customers" {
            guard let condition = request.headers["if-match"] else { return error(428, "condition", nil, "Say what state you mean.") }
            if condition != "\"v\(row.version)\"" { return error(412, "changed", nil, "It has changed.") }
        }
        if type == "orders" {
            if request.method == "PUT" {
                guard let version = fields["version"]?.integer else { return error(422, "required", "version", "version is missing.") }
                if version != row.version { return error(409, "stale", nil, "It has changed.") }
                for name in ["version", "id", "updated_at", "total"] { fields[name] = nil }
                if Set(fields.names) != ["customer", "remark", "place", "lines", "hub_ref"] {
                    if let unknown = fields.names.first(where: { name in !(state.tables[type]?.columns ?? []).contains { $0.name == name } }
                    ) {
                        return error(400, "unknown_field", unknown, "There is no \(unknown).")
                    }
                    return error(422, "incomplete", nil, "A PUT is the whole document.")
                }
            } else if request.method == "PATCH" {
                return error(405, "method", nil, "Not here.")
            }
        }
        if request.method == "DELETE" {
            if type == "products" { return error(405, "method", nil, "Products stay.") }
            _ = state.tables[type]?.remove(key)
            return Response(204)
        }
        let changed = fields
        return written(type, 200) { (state) throws(Table.Violation) in
            let known = state.tables.mapValues { Set($0.rows.keys) }
            return try state.tables[type]?.update(key, changed) { known[$0]?.contains($1) ?? false }
        }(&state)
    }

    private static func written(
        _ type: String, _ status: Int, _ write: @escaping (inout State) throws(Table.Violation) -> Table.Row?
    ) -> (inout State) -> Response {
        { state in
            do throws(Table.Violation) {
                guard let row = try write(&state) else { return error(404, "not_found", nil, "No such document.") }
                // What a POST made is told by its address only.
                if type == "products", status == 201 { return Response(201, nil, ["Location": "/api/products/\(row.key)"]) }
                return document(type, row, status)
            } catch {
                return refusal(error)
            }
        }
    }

    private static func refusal(_ violation: Table.Violation) -> Response {
        let name = violation.column
        switch violation.rule {
        case .unknown: return error(400, "unknown_field", name, "There is no \(name).")
        case .type: return error(422, "invalid", name, "\(name) cannot be that.")
        case .length: return error(422, "too_long", name, "\(name) is too long.")
        case .required: return error(422, "required", name, "\(name) is missing.")
        case .duplicate: return error(409, "duplicate", name, "Another document has that \(name).")
        case .scale: return error(422, "scale", name, "\(name) has too many decimals.")
        case .missing: return error(422, "unknown_reference", name, "\(name) names nothing.")
        case .readOnly: return error(422, "read_only", name, "\(name) is worked out.")
        }
    }

    private static func error(
        _ status: Int, _ code: String, _ field: String?, _ text: String, _ headers: [String: String] = [:]
    ) -> Response {
        var error: Fields = ["code": .string(code), "message": .string(text)]
        if let field { error["field"] = .string(field) }
        return Response(status, ["errors": [.object(error)]], headers)
    }
}
