import HubBus
import HubModel
import HubStore
import NIOPosix
import Synchronization

/// Produces records one by one, nothing of anybody else's beside them: of one that is refused then, it is known that it is too large itself.
final class LoneProducer: Sendable {
    private struct State: Sendable {
        var producer: BusProducer?
        var isClosed = false
    }

    private let bus: BusConfiguration
    private let state = Mutex(State())
    /// One, so that requests wait for each other here.
    private let thread = NIOThreadPool(numberOfThreads: 1)

    init(_ bus: BusConfiguration) {
        var bus = bus
        // What goes alone waits for nothing that could go with it.
        bus["linger.ms"] = "0"
        self.bus = bus
        thread.start()
    }

    /// Blocks until what is on its way has come to its end.
    func close(until deadline: ContinuousClock.Instant) {
        let producer = state.withLock { state in
            state.isClosed = true
            return state.producer
        }
        producer?.close(deadline: deadline)
        thread.shutdownGracefully { _ in }
    }

    /// The errors of records that were not delivered, by their places.
    func produce(_ records: [Record], until deadline: ContinuousClock.Instant) async -> [Int: BusError] {
        await withCheckedContinuation { continuation in
            thread.submit { [self] _ in continuation.resume(returning: produced(records, until: deadline)) }
        }
    }

    private func produced(_ records: [Record], until deadline: ContinuousClock.Instant) -> [Int: BusError] {
        var errors: [Int: BusError] = [:]
        for (place, record) in records.enumerated() {
            do throws(BusError) { errors[place] = try refusal(of: record, until: deadline) } catch { errors[place] = error }
        }
        return errors
    }

    /// Blocks. Nil where Kafka has the record.
    private func refusal(of record: Record, until deadline: ContinuousClock.Instant) throws(BusError) -> BusError? {
        let producer = try made()
        guard ContinuousClock.now < deadline else { throw BusError(.timedOut, "no time was left", isRetriable: true) }
        // What a request before gave up may still be on its way.
        try producer.flush(deadline: deadline)
        let answer = Awaited<[Int: BusError], Never>()
        try producer.submit([record], deadline: deadline) { answer.set(.success($0)) }
        return answer.wait().get()[0]
    }

    /// Made for the first record that needs it, which few hubs ever see.
    private func made() throws(BusError) -> BusProducer {
        let result = state.withLock { [bus] state -> Result<BusProducer, BusError> in
            if let producer = state.producer { return .success(producer) }
            if state.isClosed { return .failure(BusError(.closed, "the hub is stopping")) }
            do throws(BusError) {
                let producer = try BusProducer(bus)
                state.producer = producer
                return .success(producer)
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }
}
