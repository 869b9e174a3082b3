import HubModel

extension StoreSchema {
    /// Refuses a file that is something else, or of a newer hub; writes nothing.
    ///
    /// `mustExist` refuses an empty file too.
    func check(_ connection: SQLConnection, path: String, mustExist: Bool) throws(StoreError) {
        let mark = try connection.first("PRAGMA application_id") { $0.integer(0) } ?? 0
        let version = try connection.first("PRAGMA user_version") { Int($0.integer(0)) } ?? 0
        let tables = try connection.first("SELECT count(*) FROM sqlite_schema") { $0.integer(0) } ?? 0
        if mark != Self.applicationID && (tables > 0 || mustExist) {
            throw StoreError(.corrupt, "\(path) is a database, but not a store of the hub. Name another file.")
        }
        if version > steps.count {
            throw StoreError(
                .newer,
                "\(path) was made by a newer hub (store version \(version), this one knows \(steps.count)). Install that hub, or restore a backup."
            )
        }
        if mustExist && version < steps.count {
            throw StoreError(
                .failed, "\(path) is of an older hub (store version \(version)). Start the hub once, which brings it up to date.")
        }
    }

    /// Takes the missing steps, all or none, and gives a new store its generation and its name.
    func migrate(_ connection: SQLConnection) throws(StoreError) {
        let version = try connection.first("PRAGMA user_version") { Int($0.integer(0)) } ?? 0
        guard version < steps.count else { return }
        try connection.execute("BEGIN IMMEDIATE")
        do throws(StoreError) {
            for step in steps[version...] { try connection.execute(step) }
            if version == 0 {
                try connection.run("INSERT INTO counter (kind, a, b, count) VALUES ('generation', '', '', 1)")
                try connection.run("INSERT INTO note (name, text) VALUES ('store-id', ?)", .text(MemoryStore.randomID()))
                try connection.execute("PRAGMA application_id = \(Self.applicationID)")
            }
            try connection.execute("PRAGMA user_version = \(steps.count)")
            try connection.execute("COMMIT")
        } catch {
            if connection.isInTransaction { try? connection.execute("ROLLBACK") }
            throw error
        }
    }
}
