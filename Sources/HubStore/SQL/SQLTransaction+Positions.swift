import HubCodec
import HubModel

extension SQLTransaction {
    func offset(_ group: String, _ partition: TopicPartition) throws(StoreError) -> Int64? {
        try position(AssignmentKey(group: ExactText(group), partition: partition)).offset
    }

    /// Nobody else can change it before this transaction has ended: SQLite has one writer, and on a server who writes has the turn.
    private func position(_ key: AssignmentKey) throws(StoreError) -> StoredPosition {
        if let known = positions[key] { return known }
        let found =
            try connection.first(
                "SELECT epoch, \"offset\" FROM position WHERE consumer_group = $1 AND topic = $2 AND \"partition\" = $3", .text(key.group),
                .text(key.partition.topic), .integer(Int64(key.partition.partition))
            ) { StoredPosition(epoch: $0.integer(0), offset: $0.optionalInteger(1)) } ?? StoredPosition()
        positions[key] = found
        return found
    }

    func putOffset(_ offset: Int64, _ group: String, _ partition: TopicPartition) throws(StoreError) {
        try change { () throws(StoreError) in
            try connection.run(
                """
                INSERT INTO position (consumer_group, topic, "partition", "offset", epoch) VALUES ($1, $2, $3, $4, 0)
                ON CONFLICT (consumer_group, topic, "partition") DO UPDATE SET "offset" = excluded."offset"
                """, .text(group), .text(partition.topic), .integer(Int64(partition.partition)), .integer(offset))
        }
        positions[AssignmentKey(group: ExactText(group), partition: partition)]?.offset = offset
    }

    func raiseEpoch(_ group: String, _ partition: TopicPartition) throws(StoreError) -> Int64 {
        let key = AssignmentKey(group: ExactText(group), partition: partition)
        let new = try position(key).epoch + 1
        try change { () throws(StoreError) in
            try connection.run(
                """
                INSERT INTO position (consumer_group, topic, "partition", epoch) VALUES ($1, $2, $3, $4)
                ON CONFLICT (consumer_group, topic, "partition") DO UPDATE SET epoch = excluded.epoch
                """, .text(group), .text(partition.topic), .integer(Int64(partition.partition)), .integer(new))
        }
        positions[key]?.epoch = new
        return new
    }

    func check(epoch: Int64, _ group: String, _ partition: TopicPartition) throws(StoreError) {
        let newest = try position(AssignmentKey(group: ExactText(group), partition: partition)).epoch
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
