package import HubModel

/// Produces records, idempotently and acknowledged by all replicas, and tells when they are delivered.
///
/// Per key, the last record in the topic is the last one handed over, also after failures: a record that was not delivered is produced
/// again together with everything of its key that came after it. A thread of its own serves delivery reports.
/// With a transactional id every `produce` is one transaction, and making the producer fences an older one with the same id.
/// Calls block: none may be made on Swift's cooperative pool. `close()` has to be called once.
package final class BusProducer: Sendable {
    /// How much may be on its way; more waits, up to the caller's deadline.
    package struct Limits: Sendable {
        package var records: Int
        package var bytes: Int

        package init(records: Int = 50_000, bytes: Int = 64 << 20) {
            self.records = max(1, records)
            self.bytes = max(1, bytes)
        }
    }

    private let core: ProducerCore

    /// - Parameters:
    ///   - transactionalID: nil for a producer without transactions.
    ///   - fencingDeadline: how long registering the transactional id (and fencing its older holder) may take.
    /// - Throws: `configuration`; with a transactional id also `unreachable`, `timedOut`, `notAuthorized`, …
    package init(
        _ configuration: BusConfiguration, transactionalID: String? = nil, limits: Limits = Limits(),
        fencingDeadline: ContinuousClock.Instant = .now + .seconds(30)
    ) throws(BusError) {
        core = ProducerCore(transactionalID: transactionalID, limits: limits, logger: configuration.logger)
        try core.start(configuration, until: fencingDeadline)
    }

    /// Produces records in order and waits until all are delivered (or, with a transactional id, committed together).
    ///
    /// A record goes to `Record.partition` if that is not negative; otherwise the key decides, by murmur2 as in Java's client, and
    /// without a key chance does.
    /// - Throws: the error of the first record not delivered. Records before and after it may have been; producing again from that
    ///   one on (all records, if in doubt) keeps the order. `fenced` where a newer producer has the transactional id.
    package func produce(_ records: [Record], deadline: ContinuousClock.Instant) throws(BusError) {
        try core.produce(records, deadline: deadline)
    }

    /// Produces records without waiting for their delivery, so that several batches can be on their way.
    ///
    /// Order holds across batches too. Blocks only while the limits are reached.
    /// - Parameter completion: called once, on the producer's thread, with the error of every record that was not delivered, by its
    ///   index; empty if all were. Must not block, nor call this producer.
    /// - Throws: `queueFull` where no room came up by the deadline, `unsupported` on a transactional producer; `completion` is then
    ///   not called.
    package func submit(
        _ records: [Record], deadline: ContinuousClock.Instant, completion: @escaping @Sendable ([Int: BusError]) -> Void
    ) throws(BusError) {
        try core.submit(records, deadline: deadline, completion: completion)
    }

    /// Waits until nothing is on its way. Throws `timedOut` where the deadline passes first.
    package func flush(deadline: ContinuousClock.Instant) throws(BusError) { try core.flush(deadline: deadline) }

    /// Records that are not known to be delivered yet.
    package var outstanding: Int { core.outstanding }

    /// Waits for what is on its way, up to the deadline, and closes; blocks. What is not delivered then fails with `closed`.
    package func close(deadline: ContinuousClock.Instant = .now + .seconds(10)) { core.close(until: deadline) }
}
