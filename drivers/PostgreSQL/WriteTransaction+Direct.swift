import HubDriver
import HubModel
import PostgresClient

/// Updates that are tried without a look before: the statement itself sees to it that it changes only rows that are as expected. What it
/// leaves, for whatever reason, is looked at as everything else is.
extension WriteTransaction {
    /// Rows of a batch's first statement: few, so that the server begins with them while the next ones are being prepared.
    private static let rowsAtFirst = 50
    /// Rows of each further statement.
    private static let rowsAtOnce = 150
    /// Whoever waits for longer than that for a row, leaves the batch to the careful way, which passes such rows over.
    private static let patience = "10ms"

    /// A statement that has been sent.
    private struct Direct {
        var group: Group
        var items: [Item]
        var shape: TableShape
    }

    /// Takes all deliveries in. Those that were not changed here stay in their groups.
    mutating func changeAtOnce() throws(PostgresError) {
        // The catalog is asked before anything else is under way.
        for native in Set(deliveries.map(\.native)) { shapes[native] = try driver.shape(native, on: connection) }
        var sent: [Direct] = []
        var statements: [Group: String?] = [:]
        var next = 0
        while next < deliveries.count {
            let end = min(next + (next == 0 ? Self.rowsAtFirst : Self.rowsAtOnce), deliveries.count)
            for place in next..<end { try admit(place) }
            next = end
            for (group, items) in groups.sorted(by: { $0.key < $1.key }) {
                guard let shape = shapes[group.native] else { continue }
                let known = statements[group]
                let sql = known ?? shape.changeAtOnce(group.columns)
                if known == nil { statements[group] = .some(sql) }
                guard let sql else { continue }
                groups[group] = nil
                if sent.isEmpty { try connection.post(Self.setLockTimeout, [.text(Self.patience)]) }
                let direct = Direct(group: group, items: items, shape: shape)
                try connection.send(sql, arguments(direct))
                sent.append(direct)
            }
            try connection.push()
        }
        if sent.isEmpty { return }
        var waiting = sent[...]
        var failure: PostgresError?
        try connection.receive { result in
            guard failure == nil, let direct = waiting.popFirst() else { return }
            do throws(PostgresError) { try take(result.get(), of: direct, isLast: waiting.isEmpty) } catch { failure = error }
        }
        if let failure { throw failure }
        if !groups.isEmpty { try connection.post(Self.setLockTimeout, [.text("\(driver.lockTimeout.milliseconds)ms")]) }
    }

    /// Until the end of the transaction. What a plan depends on is not in the arguments: it is made once.
    private static let setLockTimeout = """
        SELECT set_config('lock_timeout', $1, true), set_config('plan_cache_mode', 'force_generic_plan', true)
        """

    private func arguments(_ direct: Direct) -> [PostgresValue] {
        let (shape, items) = (direct.shape, direct.items)
        func column(_ append: (Item, inout PostgresColumn) -> Void) -> PostgresValue {
            var column = PostgresColumn()
            for item in items { append(item, &column) }
            return .column(column)
        }
        var arguments: [PostgresValue] = [
            .text(driver.application), .text(direct.group.native), .text(shape.table), .text(shape.stamp),
            column { $1.append($0.key?.rawValue ?? "") }, column { $1.append(deliveries[$0.place].target.company.rawValue) },
            column { $1.append(deliveries[$0.place].target.id.rawValue) }, column { $1.append(deliveries[$0.place].version.generation) },
            column { $1.append(deliveries[$0.place].version.number) }, column { $1.append($0.digest) },
        ]
        if shape.declaration.version != nil {
            arguments.append(column { $1.append(deliveries[$0.place].expected?.token?.rawValue ?? "") })
        }
        for name in direct.group.columns {
            guard let described = shape.columns[name] else { continue }
            arguments.append(column { described.append($0.fields[name], to: &$1) })
        }
        return arguments
    }

    /// What came back of one statement, by the deliveries' places.
    struct Unread {
        fileprivate var shape: TableShape
        fileprivate var rows: [(place: Int, row: TableShape.DirectRow)] = []
    }

    /// Answers what has been changed and leaves the rest in its group.
    ///
    /// - Parameter isLast: the server has nothing more to do: what cannot fail is left for ``readBack()``.
    private mutating func take(_ result: PostgresResult, of direct: Direct, isLast: Bool) throws(PostgresError) {
        guard let first = result.first.map({ TableShape.DirectRow(row: $0) }), first.isCurrent, let logged = first.logged else {
            driver.forgetShapes()
            throw PostgresError(.statement, "\(direct.shape.declaration.table) has other columns than before.")
        }
        let isLater = isLast && direct.shape.isReadAtOnce
        var later = Unread(shape: direct.shape)
        var changed: Set<Int> = []
        for index in 0..<result.count {
            let row = TableShape.DirectRow(row: result[index])
            guard let place = row.place, direct.items.indices.contains(place) else { continue }
            let item = direct.items[place]
            guard direct.shape.key(row) == item.key else { continue }
            if isLater {
                later.rows.append((item.place, row))
            } else {
                answers[item.place] = .written(referring(try direct.shape.document(row), item.place))
            }
            changed.insert(place)
        }
        guard changed.count == logged else {
            throw PostgresError(
                .statement, "\(direct.shape.declaration.table) took \(changed.count) of \(logged) rows.", state: SQLState("P0000"))
        }
        if isLater { unread = later }
        if changed.count == direct.items.count { return }
        groups[direct.group, default: []] += direct.items.indices.filter { !changed.contains($0) }.map { direct.items[$0] }
    }

    /// Reads the rows that are left, while the server commits them.
    mutating func readBack() {
        guard let unread else { return }
        self.unread = nil
        for (place, row) in unread.rows {
            do throws(PostgresError) {
                answers[place] = .written(referring(try unread.shape.document(row), place))
            } catch {
                answers[place] = .noAnswer(reason: error.description)
            }
        }
    }
}
