package import HubModel
package import HubRules
package import HubStore

/// The second half of mediation's line, inside a transaction: identify → resolve → route → publish (to the outbox).
///
/// A batch is one transaction with its offsets: either everything in it has happened, or nothing.
package struct Mediator {
    package let plan: HubPlan
    package let pipeline: InboundPipeline
    private var resolver: Resolver

    package init(plan: HubPlan, pipeline: InboundPipeline, observer: ((InboundChange, String, FieldFate) -> Void)? = nil) {
        self.plan = plan
        self.pipeline = pipeline
        self.resolver = Resolver(plan: plan, observer: observer)
    }

    /// Records of one partition, prepared outside the transaction, under the epoch of its assignment.
    package struct Batch: Sendable {
        package var partition: TopicPartition
        package var epoch: Int64
        /// In the order of their offsets.
        package var records: [(record: Record, result: InboundPipeline.Result)]
        /// Where this batch begins: behind the one before it; nil where it is the first and begins with what the broker still has.
        package var from: Int64?
        /// Where the next batch begins.
        package var nextOffset: Int64

        package init(
            partition: TopicPartition, epoch: Int64, records: [(record: Record, result: InboundPipeline.Result)], from: Int64?,
            nextOffset: Int64
        ) {
            self.partition = partition
            self.epoch = epoch
            self.records = records
            self.from = from
            self.nextOffset = nextOffset
        }
    }

    /// Works a batch in.
    ///
    /// - Returns: true where events that waited may go on: call ``release(limit:now:in:)``.
    /// - Throws: ``StoreError/Code/fenced`` where the partition has been taken over; nothing has happened then.
    package func commit(_ batch: Batch, now: Instant, in store: any StoreTransaction) throws(StoreError) -> Bool {
        if plan.planted != .noEpoch { try store.check(epoch: batch.epoch, plan.mediationGroup, batch.partition) }
        let stored = try store.offset(plan.mediationGroup, batch.partition)
        if let from = batch.from, from > stored ?? 0, plan.planted != .noEpoch, stored != nil || from > 0 {
            // The batch in front of it has not happened: this one must not leave it out.
            throw StoreError(.fenced, "\(batch.partition): the batch begins at \(from), but the store stands at \(stored ?? 0)")
        }
        let known = stored ?? 0
        var ends: [EventEnd: Int] = [:]
        for (record, result) in batch.records where record.offset >= known || plan.planted == .noEpoch {
            let end: EventEnd?
            switch result {
            case .change(let change): end = try receive(change, now: now, in: store)
            case .filtered: end = .filtered
            case .dead(let reason): end = try bury(record, reason, now: now, in: store)
            }
            if let end { ends[end, default: 0] += 1 }
        }
        for (end, count) in ends { try store.count(end, topic: batch.partition.topic, by: count) }
        try store.putOffset(max(batch.nextOffset, known), plan.mediationGroup, batch.partition)
        return try hasReleasable(in: store)
    }

    private func hasReleasable(in store: any StoreTransaction) throws(StoreError) -> Bool {
        if try !store.releasable(limit: 1).isEmpty { return true }
        return try SoftReferences.areReady(in: store)
    }

    /// Takes up to `limit` waiting events that may go on, each with those that wait behind it, and completes soft references.
    /// - Returns: true where more may go on.
    package func release(limit: Int, now: Instant, in store: any StoreTransaction) throws(StoreError) -> Bool {
        for first in try store.releasable(limit: limit) {
            var event: WaitingEvent? = first
            while let waiting = event {
                let end: EventEnd?
                switch pipeline.prepare(waiting.record, now: now) {
                case .change(let change): end = try retry(waiting, change, now: now, in: store)
                case .filtered:
                    end = .filtered
                    try store.removeWaiting(waiting.sequence)
                case .dead(let reason):
                    end = try bury(waiting.record, reason, now: now, in: store)
                    try store.removeWaiting(waiting.sequence)
                }
                guard let end else { break }
                try store.count(end, topic: waiting.record.topic, by: 1)
                event = try store.nextWaiting(waiting.document)
            }
        }
        for document in try SoftReferences.takeReady(limit: limit, in: store) {
            try resolver.complete(document, now: now, in: store)
        }
        return try hasReleasable(in: store)
    }

    /// What an event means that leaves the entity or the company open: the document that is linked, or has an event waiting. Where one native
    /// document has become several (a lead and its opportunity), its deletion means them all.
    private func settled(_ change: InboundChange, in store: any StoreTransaction) throws(StoreError) -> [InboundChange] {
        var meant: [InboundChange] = []
        for document in [change.document] + change.alternatives {
            var isKnown = try store.link(document) != nil
            if !isKnown { isKnown = try store.isWaiting(document) }
            guard isKnown else { continue }
            var candidate = change
            candidate.document = document
            meant.append(candidate)
            if change.operation != .delete { break }
        }
        return meant.isEmpty ? [change] : meant
    }

    /// - Returns: how the record ended, once: by the first document that it means, or by one that waits when that goes on.
    private func receive(
        _ change: InboundChange, now: Instant, in store: any StoreTransaction
    ) throws(StoreError) -> EventEnd? {
        if change.alternatives.isEmpty { return try resolver.receive(change, now: now, in: store) }
        var ends: [EventEnd?] = []
        for change in try settled(change, in: store) { ends.append(try resolver.receive(change, now: now, in: store)) }
        return ends.contains(nil) ? nil : ends[0]
    }

    private func retry(
        _ waiting: WaitingEvent, _ change: InboundChange, now: Instant, in store: any StoreTransaction
    ) throws(StoreError) -> EventEnd? {
        var own = change
        own.document = waiting.document
        // It waited without anybody knowing the document: by now its own event may have told which it is.
        if !change.alternatives.isEmpty, try store.link(own.document) == nil {
            for document in [change.document] + change.alternatives where document != own.document {
                guard try store.link(document) != nil else { continue }
                own.document = document
                break
            }
        }
        return try resolver.retry(waiting, as: own, now: now, in: store)
    }

    private func bury(
        _ record: Record, _ reason: InboundPipeline.DeadLetterReason, now: Instant, in store: any StoreTransaction
    ) throws(StoreError) -> EventEnd {
        _ = try store.append(
            DeadLetter(
                application: reason.application, record: record, code: reason.code,
                reason: "\(record.topic)[\(record.partition)]@\(record.offset): \(reason.reason)", time: now))
        return .dead
    }
}
