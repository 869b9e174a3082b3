import HubModel

@testable import StandIns

/// Creates, changes, lines, and what is wrong with them.
extension ODataService {
    static func insert(_ request: Request, _ set: String, _ state: inout State) -> Response {
        guard var fields = request.json?.object else { return error(400, "BadRequest", "That is no entity.") }
        let before = state
        let deep = set == "salesOrders" ? fields["salesOrderLines"]?.array ?? [] : []
        if set == "salesOrders" { fields["salesOrderLines"] = nil }
        let made = written(set, &state) { (table, exists) throws(Table.Violation) in
            try table.insert(fields, key: { guid($0, set) }, exists: exists)
        }
        guard case .success(let row) = made else { return refusal(made, set) }
        for line in deep {
            let answer = insertLine(line.object ?? Fields(), row.key, &state)
            if answer.status >= 300 {
                state = before
                return answer
            }
        }
        return document(request, set, row, state, 201)
    }

    static func change(_ request: Request, _ set: String, _ key: String, _ state: inout State) -> Response {
        guard let row = state.tables[set]?.rows[key] else { return missing(set) }
        if state.locked.contains(key) {
            return error(429, "Application_TooManyRequests", "Too many requests reached.", ["Retry-After": "1"])
        }
        if let wrong = condition(request, row) { return wrong }
        if request.method == "DELETE" {
            for line in lines(key, state) where set == "salesOrders" { _ = state.tables["salesOrderLines"]?.remove(line.key) }
            _ = state.tables[set]?.remove(key)
            return Response(204)
        }
        guard let fields = request.json?.object else { return error(400, "BadRequest", "That is no entity.") }
        let changed = written(set, &state) { (table, exists) throws(Table.Violation) in try table.update(key, fields, exists: exists) }
        guard case .success(let new) = changed else { return refusal(changed, set) }
        if request.headers["prefer"] == "return=representation" { return document(request, set, new, state, 200) }
        return Response(204, nil, ["ETag": etag(new)])
    }

    static func condition(_ request: Request, _ row: Table.Row) -> Response? {
        guard let match = request.headers["if-match"] else {
            return error(428, "BadRequest_PreconditionRequired", "An If-Match header is required.")
        }
        return match == etag(row) ? nil : error(412, "Request_EntityChanged", "Another user has already changed the record.")
    }

    static func line(_ request: Request, order: String, _ sequence: String?, _ state: inout State) -> Response {
        guard state.tables["salesOrders"]?.rows[order] != nil else { return missing("salesOrders") }
        guard let sequence else {
            guard request.method == "POST", let fields = request.json?.object else {
                return error(405, "BadRequest_MethodNotAllowed", "Not here.")
            }
            let answer = insertLine(fields, order, &state)
            if answer.status < 300 { state.tables["salesOrders"]?.touch(order) }
            return answer
        }
        guard let row = lines(order, state).first(where: { $0.fields["sequence"]?.keyText == sequence }) else {
            return missing("salesOrderLines")
        }
        if let wrong = condition(request, row) { return wrong }
        state.tables["salesOrders"]?.touch(order)
        if request.method == "DELETE" {
            _ = state.tables["salesOrderLines"]?.remove(row.key)
            return Response(204)
        }
        let fields = request.json?.object ?? Fields()
        let changed = written("salesOrderLines", &state) { (table, exists) throws(Table.Violation) in
            try table.update(row.key, fields, exists: exists)
        }
        guard case .success(let new) = changed else { return refusal(changed, "salesOrderLines") }
        return Response(200, .object(shown("salesOrderLines", new, state, expanded: false)))
    }

    static func insertLine(_ line: Fields, _ order: String, _ state: inout State) -> Response {
        var fields = line
        fields["documentId"] = .string(order)
        if let sequence = fields["sequence"], lines(order, state).contains(where: { $0.fields["sequence"] == sequence }) {
            return error(400, "Internal_EntityWithSameKeyExists", "The record in table Sales Line already exists.")
        }
        let made = written("salesOrderLines", &state) { (table, exists) throws(Table.Violation) in
            try table.insert(fields, key: { guid($0, "salesOrderLines") }, exists: exists)
        }
        guard case .success(let row) = made else { return refusal(made, "salesOrderLines") }
        return Response(201, .object(shown("salesOrderLines", row, state, expanded: false)))
    }

    enum Made {
        case success(Table.Row)
        case refused(Table.Violation)
        case missing
    }

    static func written(
        _ set: String, _ state: inout State, _ write: (inout Table, (String, String) -> Bool) throws(Table.Violation) -> Table.Row?
    ) -> Made {
        guard var table = state.tables[set] else { return .missing }
        let tables = state.tables
        do throws(Table.Violation) {
            guard let row = try write(&table, { tables[$0]?.rows[$1] != nil }) else { return .missing }
            state.tables[set] = table
            return .success(row)
        } catch {
            return .refused(error)
        }
    }

    // MARK: Errors

    static func refusal(_ made: Made, _ set: String) -> Response {
        guard case .refused(let violation) = made else { return missing(set) }
        let name = violation.column
        switch violation.rule {
        case .unknown:
            return error(
                400, "BadRequest",
                "The property '\(name)' does not exist on type 'Microsoft.NAV.\(types[set] ?? set)'. Make sure to only use property names that are defined by the type."
            )
        case .type, .scale: return error(400, "BadRequest", "Cannot convert the literal of '\(name)' to the expected type.")
        case .length: return error(400, "Application_StringExceededLength", "The length of the string of \(name) is too long.")
        case .duplicate: return error(400, "Internal_EntityWithSameKeyExists", "The record already exists. Identification fields: \(name).")
        case .missing:
            return error(
                400, "Internal_InvalidTableRelation", "The field \(name) contains a value that cannot be found in the related table.")
        case .required: return error(400, "Application_FieldValidationException", "\(name) must have a value.")
        case .readOnly: return error(400, "Internal_ReadOnly", "Control '\(name)' is read-only.")
        }
    }

    static func missing(_ set: String) -> Response { error(404, "BadRequest_ResourceNotFound", "Resource not found for \(set).") }

    static func error(_ status: Int, _ code: String, _ text: String, _ headers: [String: String] = [:]) -> Response {
        Response(status, ["error": ["code": .string(code), "message": .string(text)]], headers)
    }

    /// A key whose order is not that of making.
    static func guid(_ number: Int, _ set: String) -> String {
        let mixed = (UInt64(number) &* 0x9E37_79B9_7F4A_7C15) >> 32
        let hex = String(mixed, radix: 16)
        let last = String(number, radix: 16)
        return String(repeating: "0", count: 8 - hex.count) + hex + "-0000-4000-8000-" + String(repeating: "0", count: 12 - last.count)
            + last
    }
}
