import Foundation
import HubDriver
import HubModel
import Synchronization

@testable import StandIns

/// A service of the Sage family's SData in JSON: `$resources` counted from 1, `$etag` in every resource, diagnoses as a list.
final class SDataService: Sendable {
    typealias Request = StrictServer.Request
    typealias Response = StrictServer.Response

    struct State: Sendable {
        var tables: [String: Table]
        var locked: Set<String> = []
    }

    static let credentials = "Basic " + Data("admin:geheim:ü".utf8).base64EncodedString()
    private static let root = "/sdata/slx/dynamic/-/"
    /// The largest page that it gives.
    private static let most = 100

    let state: Mutex<State>

    init() {
        let text = { (name: String, most: Int) in Table.Column(name: name, kind: .text(most: most)) }
        let reference = Table.Column(name: "ImportSourceReference", kind: .text(most: 50), isUnique: true)
        state = Mutex(
            State(tables: [
                "accounts": Table([
                    .init(name: "AccountName", kind: .text(most: 128), isRequired: true), text("Email", 128), text("MainPhone", 32),
                    .init(name: "ExternalAccountNo", kind: .text(most: 32), isUnique: true),
                    .init(name: "CreditLimit", kind: .decimal(scale: 2)),
                    reference,
                ]),
                "products": Table([
                    .init(name: "ActualId", kind: .text(most: 64), isRequired: true, isUnique: true), text("Name", 64),
                    .init(name: "Price", kind: .decimal(scale: 4)), text("Unit", 16), reference,
                ]),
                "salesOrders": Table([
                    .init(name: "AccountId", kind: .reference("accounts"), isRequired: true), .init(name: "OrderDate", kind: .date),
                    text("CustomerPurchaseOrderNumber", 64), text("Comments", 2000), reference,
                ]),
            ]))
    }

    /// A person's change.
    func edit(_ set: String, _ key: String, _ fields: Fields) throws {
        try state.withLock { state in _ = try state.tables[set]?.update(key, fields) { _, _ in true } }
    }

    func answer(_ request: Request) -> Response {
        state.withLock { state in
            guard request.headers["authorization"] == Self.credentials else {
                return Response(401, nil, ["WWW-Authenticate": "Basic realm=\"SData\""])
            }
            guard request.path.hasPrefix(Self.root), request.query["format"] == "json" else {
                return Self.diagnosis(404, "BadUrlSyntax", "The URL is not understood.")
            }
            let rest = request.path.dropFirst(Self.root.count)
            let set = String(rest.prefix { $0 != "(" })
            guard state.tables[set] != nil else { return Self.diagnosis(404, "DatasetNotFound", "There is no \(set).") }
            if rest.count == set.count {
                switch request.method {
                case "GET": return Self.list(request, set, state)
                case "POST": return Self.insert(request, set, &state)
                default: return Self.diagnosis(405, "UnsupportedOperation", "Not on a collection.")
                }
            }
            let key = String(rest.dropFirst(set.count)).trimmingCharacters(in: CharacterSet(charactersIn: "()'"))
            return Self.one(request, set, key, &state)
        }
    }

    // MARK: Reading

    private static func etag(_ row: Table.Row) -> String { "\(row.number)/\(row.version)=" }

    private static func shown(_ set: String, _ row: Table.Row) -> Value {
        var fields = row.fields
        fields["$key"] = .string(row.key)
        fields["$etag"] = .string(etag(row))
        fields["$url"] = .string("http://localhost\(root)\(set)('\(row.key)')")
        fields["ModifyDate"] = .string(MomentText.text(Instant(milliseconds: row.modified)))
        fields["CreateDate"] = .string(MomentText.text(Instant(milliseconds: Int64(row.number) * 1000)))
        return .object(fields)
    }

    private static func list(_ request: Request, _ set: String, _ state: State) -> Response {
        let query = request.query
        var rows: [Table.Row]
        switch query["orderBy"] {
        case "ModifyDate,Id": rows = state.tables[set]?.byChange ?? []
        case "CreateDate,Id", nil: rows = state.tables[set]?.inOrder ?? []
        default: return diagnosis(400, "BadQueryParameter", "The order is not understood.")
        }
        if let expression = query["where"] {
            guard let test = test(expression) else {
                return diagnosis(400, "BadWhereSyntax", "The expression \(expression) is not understood.")
            }
            rows = rows.filter(test)
        }
        let start = query["startIndex"].map { Int($0) ?? 0 } ?? 1
        guard start >= 1 else { return diagnosis(400, "BadQueryParameter", "startIndex counts from 1.") }
        let count = min(most, query["count"].flatMap { Int($0) } ?? most)
        return Response(
            200,
            [
                "$descriptor": "Test SData 1.1", "$totalResults": .number(Number(Int64(rows.count))),
                "$startIndex": .number(Number(Int64(start))), "$itemsPerPage": .number(Number(Int64(count))),
                "$resources": .array(rows.dropFirst(start - 1).prefix(count).map { shown(set, $0) }),
            ])
    }

    /// `Member eq 'text'` and `ModifyDate ge @moment@`.
    private static func test(_ expression: String) -> ((Table.Row) -> Bool)? {
        let words = expression.split(separator: " ", maxSplits: 2).map(String.init)
        guard words.count == 3 else { return nil }
        let inner = String(words[2].dropFirst().dropLast())
        if words[0] == "ModifyDate", words[1] == "ge", words[2].hasPrefix("@"), words[2].hasSuffix("@"),
            let moment = MomentText.instant(inner)
        {
            return { $0.modified >= moment.milliseconds }
        }
        guard words[1] == "eq", words[2].hasPrefix("'"), words[2].hasSuffix("'") else { return nil }
        let text = inner.split(separator: "''", omittingEmptySubsequences: false).joined(separator: "'")
        return { $0.fields[words[0]]?.text == text }
    }

    // MARK: Writing

    private static func insert(_ request: Request, _ set: String, _ state: inout State) -> Response {
        guard let fields = payload(request) else { return diagnosis(400, "BadPayload", "The payload is not understood.") }
        return written(set, 201, &state) { (table, exists) throws(Table.Violation) in
            try table.insert(fields, key: { "\(set.prefix(1).uppercased())EK\(100_000 + $0)" }, exists: exists)
        }
    }

    private static func one(_ request: Request, _ set: String, _ key: String, _ state: inout State) -> Response {
        guard let row = state.tables[set]?.rows[key] else { return diagnosis(404, "DatasetNotFound", "There is no \(key).") }
        if request.method == "GET" { return Response(200, shown(set, row), ["ETag": etag(row)]) }
        if state.locked.contains(key) {
            return diagnosis(503, "ApplicationDiagnosis", "The record is in use.", headers: ["Retry-After": "1"])
        }
        guard let match = request.headers["if-match"] else { return diagnosis(428, "IfMatchRequired", "If-Match is needed.") }
        guard match == etag(row) else { return diagnosis(412, "IfMatchFailed", "The resource has changed.") }
        switch request.method {
        case "PUT":
            guard let fields = payload(request) else { return diagnosis(400, "BadPayload", "The payload is not understood.") }
            return written(set, 200, &state) { (table, exists) throws(Table.Violation) in try table.update(key, fields, exists: exists) }
        case "DELETE":
            _ = state.tables[set]?.remove(key)
            return Response(200)
        default: return diagnosis(405, "UnsupportedOperation", "Not on a resource.")
        }
    }

    private static func payload(_ request: Request) -> Fields? {
        guard request.headers["content-type"] == "application/json" else { return nil }
        return request.json?.object?.filter { !$0.name.hasPrefix("$") }
    }

    private static func written(
        _ set: String, _ status: Int, _ state: inout State,
        _ write: (inout Table, (String, String) -> Bool) throws(Table.Violation) -> Table.Row?
    ) -> Response {
        guard var table = state.tables[set] else { return diagnosis(404, "DatasetNotFound", "There is no \(set).") }
        let tables = state.tables
        do throws(Table.Violation) {
            guard let row = try write(&table, { tables[$0]?.rows[$1] != nil }) else {
                return diagnosis(404, "DatasetNotFound", "It is gone.")
            }
            state.tables[set] = table
            return Response(status, shown(set, row), ["ETag": etag(row)])
        } catch {
            let name = error.column
            let application = "ApplicationDiagnosis"
            switch error.rule {
            case .unknown, .readOnly: return diagnosis(400, application, "\(name) is not a member of \(set).", name)
            case .type, .scale: return diagnosis(400, "BadPayload", "\(name) cannot be that.", name)
            case .length: return diagnosis(400, application, "\(name) is longer than its column.", name)
            case .required: return diagnosis(400, application, "\(name) is required.", name)
            case .duplicate: return diagnosis(409, application, "\(name) is not unique.", name)
            case .missing: return diagnosis(400, application, "\(name) refers to nothing.", name)
            }
        }
    }

    private static func diagnosis(
        _ status: Int, _ code: String, _ text: String, _ path: String? = nil, headers: [String: String] = [:]
    ) -> Response {
        var fields: Fields = ["severity": "Error", "sdataCode": .string(code), "message": .string(text)]
        if let path { fields["payloadPath"] = .string(path) }
        return Response(status, [.object(fields)], headers)
    }
}
