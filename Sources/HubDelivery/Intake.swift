package import HubModel
import HubRules
package import HubStore

/// Takes records of canonical topics into the lanes, together with their offset.
package struct Intake: Sendable {
    package let delivery: TargetDelivery

    package init(delivery: TargetDelivery) {
        self.delivery = delivery
    }

    /// Begins a delivery for each record whose lane is free. A record is a doorbell: what is delivered is today's golden record.
    ///
    /// - Parameters:
    ///   - records: of one partition, in order.
    ///   - busy: true where a call for that document is under way; its end looks at the newest version by itself.
    /// - Returns: the calls to carry out.
    package func accept(
        _ records: [Record], partition: TopicPartition, nextOffset: Int64, busy: (CanonicalID) -> Bool, now: Instant,
        in store: any StoreTransaction
    ) throws(StoreError) -> [DeliveryCall] {
        let group = delivery.plan.deliveryGroup(delivery.application)
        let known = try store.offset(group, partition) ?? 0
        var calls: [DeliveryCall] = []
        var begun: Set<CanonicalID> = []
        for record in records where record.offset >= known {
            // A tombstone ends a document whose deletion has passed already.
            guard let key = record.key, record.value != nil else { continue }
            let id = CanonicalID(String(decoding: key, as: UTF8.self))
            guard !busy(id), !begun.contains(id) else { continue }
            let version = delivery.plan.planted == .replayOldVersion ? Self.version(of: record) : nil
            if case .call(let call) = try delivery.begin(id, record: version, now: now, in: store) {
                begun.insert(id)
                calls.append(call)
            }
        }
        try store.putOffset(max(nextOffset, known), group, partition)
        return calls
    }

    /// Begins deliveries that the store holds ready, or whose time has come.
    ///
    /// - Parameter afterStart: also those that were under way when the hub ended.
    package func resume(
        limit: Int, afterStart: Bool = false, busy: (CanonicalID) -> Bool, now: Instant, in store: any StoreTransaction
    ) throws(StoreError) -> [DeliveryCall] {
        try beginDue(limit: limit, afterStart: afterStart, busy: busy, now: now, in: store).calls
    }

    /// Like ``resume(limit:afterStart:busy:now:in:)``, and says whether there may be more to begin.
    package func beginDue(
        limit: Int, afterStart: Bool, busy: (CanonicalID) -> Bool, now: Instant, in store: any StoreTransaction
    ) throws(StoreError) -> (calls: [DeliveryCall], hasMore: Bool) {
        var calls: [DeliveryCall] = []
        var looked = 0
        let reasons: Set<TargetState.Wait.Reason> = [.ready, .settle, .retry, .changed]
        let due = try store.waiting(
            delivery.application, afterStart ? reasons.union([.calling]) : reasons, until: now, limit: limit)
        for row in due where !busy(row.target.id) {
            // A wait for the feed without a time ends when the feed tells; ready ones have no time.
            if row.state.wait?.reason == .changed && row.state.wait?.until == nil { continue }
            looked += 1
            if case .call(let call) = try delivery.begin(row.target.id, now: now, in: store) { calls.append(call) }
        }
        return (calls, due.count == limit && looked > 0)
    }

    private static func version(of record: Record) -> Version? {
        record.header("ce_id")?.split(separator: "/").last.flatMap { Version(String($0)) }
    }
}
