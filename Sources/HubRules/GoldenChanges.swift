import HubCodec
package import HubModel
package import HubStore

extension HubPlan {
    /// Gives a golden record its next version and puts its document in the outbox.
    ///
    /// - Parameters:
    ///   - changed: what changed, for information; empty for a correction.
    ///   - addressee: the application that a correction is meant for; nil otherwise.
    ///   - causeTime: the time of the inbound record that is the cause; nil where there is none.
    package func publish(
        _ golden: inout GoldenRecord, changed: [String], addressee: ApplicationID? = nil, event: String = "",
        causeTime: Int64? = nil, now: Instant, in transaction: any StoreTransaction
    ) throws(StoreError) {
        golden.version = Version(generation: try transaction.generation(), number: golden.version.number + 1)
        try transaction.put(golden)
        let record = CanonicalRecord.record(
            golden, topic: canonicalTopic(golden.entity), hub: hub, changed: changed, addressee: addressee, event: event,
            causeTime: causeTime, time: now)
        try transaction.append(OutboxRow(record: record))
    }

    /// Puts a delivery's end in the outbox and counts it.
    package func publish(_ outcome: Outcome, in transaction: any StoreTransaction) throws(StoreError) {
        try transaction.count(outcome.kind, application: outcome.target.application, by: outcome.version.number - outcome.first + 1)
        try transaction.append(OutboxRow(record: CanonicalRecord.record(outcome, topic: outcomesTopic, hub: hub)))
    }

    /// Keeps the texts by which the record can be matched in step with its fields.
    package func index(_ golden: GoldenRecord, in transaction: any StoreTransaction) throws(StoreError) {
        for field in policy(golden.entity).match {
            try transaction.putMatch(golden.entity, field, golden.isDeleted ? nil : golden.fields[field]?.matchText, golden.id)
        }
    }
}

extension Value {
    /// The text under which a value is matched: trimmed and case folded; nil where it is empty or no text.
    package var matchText: String? {
        guard let text = keyText else { return nil }
        let folded = text.lowercased().split(whereSeparator: \.isWhitespace).joined(separator: " ")
        return folded.isEmpty ? nil : folded
    }
}
