import HubDriver
import HubModel
import PostgresClient

/// The statements of one transaction that writes a batch, all of one kind and table together.
///
/// Updates are tried at once, without a look before. For all that is left, first what is there is read and held: the write log's rows,
/// then the rows themselves, each in a fixed order. Then everything is written. No target and no row comes twice.
struct WriteTransaction {
    /// Deliveries that one statement writes: the same table, operation and columns.
    struct Group: Hashable, Comparable {
        var native: String
        var operation: Delivery.Operation
        var columns: [String]

        static func < (a: Group, b: Group) -> Bool {
            (a.native, a.operation.rawValue) != (b.native, b.operation.rawValue)
                ? (a.native, a.operation.rawValue) < (b.native, b.operation.rawValue)
                : a.columns.lexicographicallyPrecedes(b.columns)
        }

        func hash(into hasher: inout Hasher) {
            // Groups of one batch rarely differ in their columns only.
            hasher.combine(native)
            hasher.combine(columns.count)
        }
    }

    /// Updates of one group, which has been looked at.
    struct Updates {
        var group: Group
        /// The table has a version column.
        var needsToken: Bool
    }

    struct Item {
        var place: Int
        /// The row as it is to be, or the changed columns of it.
        var fields: Fields
        var digest: String
        var key: NativeKey?
    }

    let deliveries: [Delivery]
    let driver: PostgreSQLDriver
    let connection: PostgresConnection
    /// The same transaction may have been kept before: its locks are waited for, and what it left is this call's own.
    let isRepeated: Bool
    /// Rows that somebody holds are waited for, and not passed over.
    private let waits: Bool
    /// Nothing is tried without having been looked at.
    private let isCareful: Bool

    var shapes: [String: TableShape] = [:]
    var groups: [Group: [Item]] = [:]
    var answers: [Answer?]
    /// What the write log says of each delivery's target.
    private var logged: [Int: WriteLog.Entry] = [:]
    /// Of the update that was taken in before.
    var updates: Updates?
    /// Rows that have been written and come back, and wait to be read.
    var unread: Unread?

    init(_ deliveries: [Delivery], driver: PostgreSQLDriver, connection: PostgresConnection, _ attempts: WriteAttempts) {
        self.deliveries = deliveries
        self.driver = driver
        self.connection = connection
        isRepeated = attempts.isRepeated
        waits = attempts.waits
        isCareful = attempts.isCareful
        answers = Array(repeating: nil, count: deliveries.count)
    }

    mutating func run() throws(PostgresError) {
        // What a create makes, an update beside it may refer to: such batches keep their order.
        if !isCareful, !isRepeated, deliveries.allSatisfy({ $0.operation == .update }) {
            try changeAtOnce()
        } else {
            for place in deliveries.indices { try admit(place) }
        }
        try look()
        try write()
    }

    // MARK: What is there

    /// A question that has been sent, to be matched with its result.
    private enum Question {
        case log
        case newKeys(Group)
        case held(Group)
        case silent
    }

    private mutating func look() throws(PostgresError) {
        let open = groups.values.flatMap { $0.map(\.place) }.sorted()
        if open.isEmpty { return }
        var questions: [Question] = [.log]
        let targets = open.map { deliveries[$0].target }
        try connection.send(
            WriteLog.hold, [.text(driver.application), .texts(targets.map(\.company.rawValue)), .texts(targets.map(\.id.rawValue))])
        let changing = groups.keys.filter { $0.operation != .create }.sorted()
        for (native, several) in Dictionary(grouping: changing, by: \.native).sorted(by: { $0.key < $1.key }) where several.count > 1 {
            // Rows that several statements are about to hold are held in one order first.
            guard let shape = shapes[native] else { continue }
            let keys = several.flatMap { groups[$0] ?? [] }.compactMap(\.key)
            try connection.send(shape.hold([], waits: waits), [.utf8(shape.keys(keys))])
            questions.append(.silent)
        }
        for group in changing {
            guard let shape = shapes[group.native], let items = groups[group] else { continue }
            try connection.send(shape.hold(group.columns, waits: waits), [.utf8(Self.rows(items, shape))])
            questions.append(.held(group))
        }
        for group in groups.keys.filter({ $0.operation == .create }).sorted() {
            guard let shape = shapes[group.native], let newKeys = shape.newKeys, let items = groups[group] else { continue }
            let missing = items.count { $0.fields[shape.key.name] == nil }
            guard missing > 0 else { continue }
            try connection.send(newKeys, [.integer(Int64(missing))])
            questions.append(.newKeys(group))
        }
        let results = try connection.receive()
        for case .failure(let error) in results { throw error }
        for (question, result) in zip(questions, results) {
            guard case .success(let result) = result else { continue }
            switch question {
            case .log: take(log: result, open)
            case .newKeys(let group): give(result, to: group)
            case .held(let group): try decide(group, result)
            case .silent: break
            }
        }
        try decideCreates()
    }

    private mutating func take(log result: PostgresResult, _ open: [Int]) {
        // All targets are this application's own, whatever it is called in them.
        let places = Dictionary(open.map { (Target(driver.application, deliveries[$0].target.company, deliveries[$0].target.id), $0) }) {
            $1
        }
        for row in result.rows {
            if let place = places[Target(driver.application, row.id(0), row.id(1))] { logged[place] = WriteLog.entry(row) }
        }
    }

    private mutating func give(_ keys: PostgresResult, to group: Group) {
        guard let shape = shapes[group.native], var items = groups[group] else { return }
        var given = keys.rows[...]
        for index in items.indices where items[index].fields[shape.key.name] == nil {
            guard let row = given.popFirst() else { break }
            items[index].fields[shape.key.name] = .string(row.text(0))
        }
        groups[group] = items
    }

    /// Creates that have happened are answered with what became of them.
    private mutating func decideCreates() throws(PostgresError) {
        for group in groups.keys where group.operation == .create {
            guard let shape = shapes[group.native], let items = groups[group] else { continue }
            for item in items {
                guard let entry = logged[item.place] else { continue }
                let document = try driver.read(entry.key, shape, on: connection)
                answers[item.place] = document.map { again(item, entry, referring($0, item.place)) } ?? .gone
            }
            groups[group] = items.filter { logged[$0.place] == nil }
        }
    }

    /// What a delivery that has been written already is answered.
    private func again(_ item: Item, _ entry: WriteLog.Entry, _ document: NativeDocument) -> Answer {
        isRepeated && entry.digest == item.digest && entry.version == deliveries[item.place].version
            ? .written(document) : .unchanged(document)
    }

    /// Updates and deletions that have nothing to do are answered; the others stay in their group.
    private mutating func decide(_ group: Group, _ result: PostgresResult) throws(PostgresError) {
        guard let shape = shapes[group.native], let items = groups[group] else { return }
        var rows: [NativeKey: PostgresRow] = [:]
        for row in result.rows { rows[row.id(0)] = row }
        var left: [Item] = []
        for item in items {
            guard let key = item.key else { continue }
            let delivery = deliveries[item.place]
            let entry = logged[item.place]
            let isWritten = entry?.version == delivery.version && entry?.digest == item.digest
            guard let row = rows[key] else {
                if isWritten, delivery.operation == .delete, let entry {
                    let gone = NativeDocument(key: key, reference: delivery.reference, isDeleted: true, fields: Fields())
                    answers[item.place] = again(item, entry, gone)
                } else if !waits, try driver.read(key, shape, on: connection) != nil {
                    answers[item.place] = .later(after: .milliseconds(500), reason: "somebody holds the row \(key)")
                } else {
                    answers[item.place] = .gone
                }
                continue
            }
            if isWritten, let entry {
                guard let document = try driver.read(key, shape, on: connection) else { continue }
                answers[item.place] = again(item, entry, referring(document, item.place))
            } else if shape.declaration.version != nil && row.optionalID(1) != delivery.expected?.token {
                answers[item.place] = .changed
            } else if delivery.operation == .update && row.flag(5) {
                // Archived: for the hub it is there no more.
                answers[item.place] = .gone
            } else if row.flag(4), let known = try unchanged(delivery, shape, row) {
                answers[item.place] = .unchanged(referring(known, item.place))
            } else {
                left.append(item)
            }
        }
        groups[group] = left
    }

    /// The row, where the delivery asks for nothing that is not so already.
    private func unchanged(
        _ delivery: Delivery, _ shape: TableShape, _ row: PostgresRow
    ) throws(PostgresError) -> NativeDocument? {
        if delivery.operation == .delete && shape.declaration.archived == nil { return nil }
        let document = try shape.document(row)
        return delivery.operation == .update || document.isDeleted ? document : nil
    }

    // MARK: Writing

    private mutating func write() throws(PostgresError) {
        let writing = groups.filter { !$0.value.isEmpty }.sorted { $0.key < $1.key }
        if writing.isEmpty { return }
        var created: [(target: Target, entry: WriteLog.Entry)] = []
        var changed: [(target: Target, entry: WriteLog.Entry)] = []
        for (group, items) in writing {
            guard let shape = shapes[group.native] else { continue }
            for item in items {
                let delivery = deliveries[item.place]
                let key = item.key ?? NativeKey(item.fields[shape.key.name]?.keyText ?? "")
                let entry = WriteLog.Entry(native: group.native, key: key, version: delivery.version, digest: item.digest)
                if group.operation == .create { created.append((delivery.target, entry)) } else { changed.append((delivery.target, entry)) }
            }
        }
        // The write log first: a second transaction with the same creation waits and fails there, before it has done anything.
        let isOrdered: ((target: Target, entry: WriteLog.Entry), (target: Target, entry: WriteLog.Entry)) -> Bool = {
            $0.target < $1.target
        }
        if !created.isEmpty {
            try connection.post(WriteLog.create, WriteLog.arguments(driver.application, created.sorted(by: isOrdered)))
        }
        if !changed.isEmpty { try connection.post(WriteLog.put, WriteLog.arguments(driver.application, changed.sorted(by: isOrdered))) }
        for (group, items) in writing {
            guard let shape = shapes[group.native] else { continue }
            let sql =
                switch group.operation {
                case .create: shape.insert(group.columns)
                case .update: shape.update(group.columns)
                case .delete: shape.delete
                }
            try connection.send(sql, [.utf8(Self.rows(items, shape))])
        }
        let results = try connection.receive()
        for case .failure(let error) in results { throw error }
        for ((group, items), result) in zip(writing, results) {
            if case .success(let result) = result { try answer(group, items, result) }
        }
    }

    private mutating func answer(_ group: Group, _ items: [Item], _ result: PostgresResult) throws(PostgresError) {
        guard let shape = shapes[group.native] else { return }
        var rows: [NativeKey: NativeDocument] = [:]
        for row in result.rows {
            let document = try shape.document(row)
            rows[document.key] = document
        }
        for item in items {
            let key = item.key ?? NativeKey(item.fields[shape.key.name]?.keyText ?? "")
            var document = rows[key]
            if document == nil {
                // Alone, the one row that came back is the delivery's, whatever key a trigger has given it.
                guard items.count == 1, let only = rows.values.first, rows.count == 1 else {
                    throw PostgresError(
                        .statement,
                        "\(shape.declaration.table) took \(rows.count) of \(items.count) rows: a trigger or a policy withheld some.",
                        state: SQLState("P0000"))
                }
                let target = deliveries[item.place].target
                try connection.run(
                    WriteLog.rekey, [.text(driver.application), .text(target.company), .text(target.id), .text(only.key)])
                document = only
            }
            guard var document else { continue }
            if group.operation == .delete { document.isDeleted = true }
            answers[item.place] = .written(referring(document, item.place))
        }
    }

    func referring(_ document: NativeDocument, _ place: Int) -> NativeDocument {
        var document = document
        document.reference = document.reference ?? deliveries[place].reference
        return document
    }

    /// A statement's rows with their keys, as the JSON array that it takes.
    private static func rows(_ items: [Item], _ shape: TableShape) -> [UInt8] {
        JSONText.bytes(
            .array(
                items.map { item in
                    var fields = item.fields
                    if fields[shape.key.name] == nil, let key = item.key { fields[shape.key.name] = .string(key.rawValue) }
                    return .object(fields)
                }))
    }
}
