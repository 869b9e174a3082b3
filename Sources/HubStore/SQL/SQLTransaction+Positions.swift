import HubCodec
import HubModel

extension SQLTransaction {
    func offset(_ group: String, _ partition: TopicPartition) throws(StoreError) -> Int64? {
        try connection.first(
            "SELECT \"offset\" FROM position WHERE consumer_group = $1 AND topic = $2 AND \"partition\" = $3", .text(group),
            .text(partition.topic), .integer(Int64(partition.partition))
        ) { $0.optionalInteger(0) } ?? nil
    }

    func putOffset(_ offset: Int64, _ group: String, _ partition: TopicPartition) throws(StoreError) {
        try change { () throws(StoreError) in
            try connection.run(
                """
                INSERT INTO position (consumer_group, topic, "partition", "offset", epoch) VALUES ($1, $2, $3, $4, 0)
                ON CONFLICT (consumer_group, topic, "partition") DO UPDATE SET "offset" = excluded."offset"
                """, .text(group), .text(partition.topic), .integer(Int64(partition.partition)), .integer(offset))
        }
    }

    /// The newest epoch, its row held until the end of the transaction.
    private func epoch(_ group: String, _ partition: TopicPartition) throws(StoreError) -> Int64 {
        let key = AssignmentKey(group: ExactText(group), partition: partition)
        if let known = epochs[key] { return known }
        let epoch =
            try connection.first(
                Connection.isServer
                    ? "SELECT epoch FROM position WHERE consumer_group = $1 AND topic = $2 AND \"partition\" = $3 FOR UPDATE"
                    : "SELECT epoch FROM position WHERE consumer_group = $1 AND topic = $2 AND \"partition\" = $3",
                .text(group),
                .text(partition.topic), .integer(Int64(partition.partition))
            ) { $0.integer(0) } ?? 0
        epochs[key] = epoch
        return epoch
    }

    func raiseEpoch(_ group: String, _ partition: TopicPartition) throws(StoreError) -> Int64 {
        let new = try epoch(group, partition) + 1
        try change { () throws(StoreError) in
            try connection.run(
                """
                INSERT INTO position (consumer_group, topic, "partition", epoch) VALUES ($1, $2, $3, $4)
                ON CONFLICT (consumer_group, topic, "partition") DO UPDATE SET epoch = excluded.epoch
                """, .text(group), .text(partition.topic), .integer(Int64(partition.partition)), .integer(new))
        }
        epochs[AssignmentKey(group: ExactText(group), partition: partition)] = new
        return new
    }

    func check(epoch: Int64, _ group: String, _ partition: TopicPartition) throws(StoreError) {
        let newest = try self.epoch(group, partition)
        guard epoch != newest else { return }
        let error = StoreError.fenced(epoch: epoch, newest: newest, group, partition)
        refusal = error
        throw error
    }

    func generation() -> Int { Int(counters[Counters.Key(.generation)]) }

    func raiseGeneration(past used: Int) throws(StoreError) -> Int {
        try willChange()
        return Int(counters.add(Int64(max(used - generation(), 0)) + 1, Counters.Key(.generation)))
    }

    func catchUp(_ application: ApplicationID) throws(StoreError) -> CatchUp? {
        try connection.first("SELECT entities, after FROM catch_up WHERE application = $1", .text(application)) { row throws(StoreError) in
            let json = try StoredJSON("catch-up of \(application)", row.bytes(0))
            return CatchUp(entities: json.root.elements.compactMap { $0.string.map { EntityName($0) } }, after: row.optionalID(1))
        }
    }

    func putCatchUp(_ catchUp: CatchUp?, _ application: ApplicationID) throws(StoreError) {
        try change { () throws(StoreError) in
            guard let catchUp else {
                return try connection.run("DELETE FROM catch_up WHERE application = $1", .text(application))
            }
            try connection.run(
                """
                INSERT INTO catch_up (application, entities, after) VALUES ($1, $2, $3)
                ON CONFLICT (application) DO UPDATE SET entities = excluded.entities, after = excluded.after
                """, .text(application), .json(Value.array(catchUp.entities.map { .string($0.rawValue) }).json), .optional(catchUp.after))
        }
    }

    func note(_ name: String) throws(StoreError) -> String? {
        try connection.first("SELECT text FROM note WHERE name = $1", .text(name)) { $0.text(0) }
    }

    func putNote(_ text: String?, _ name: String) throws(StoreError) {
        try change { () throws(StoreError) in
            guard let text else { return try connection.run("DELETE FROM note WHERE name = $1", .text(name)) }
            try connection.run(
                "INSERT INTO note (name, text) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET text = excluded.text", .text(name),
                .text(text))
        }
    }

    func notes(_ prefix: String) throws(StoreError) -> [(name: String, text: String)] {
        try connection.all("SELECT name, text FROM note WHERE name >= $1 ORDER BY name", .text(prefix)) { row in
            (name: row.text(0), text: row.text(1))
        }.filter { $0.name.utf8.starts(with: prefix.utf8) }
    }
}
