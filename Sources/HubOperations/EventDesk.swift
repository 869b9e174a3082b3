import HTTPTypes
import HubBus
import HubCodec
import HubConfiguration
import HubModel
import HubRuntime
import HubStore
import Logging
import NIOPosix
import Synchronization

/// Takes the events of publishers without Kafka, and says so only when Kafka has them.
final class EventDesk: Sendable {
    private let readers: [ApplicationID: EventReader]
    private let producer: BusProducer
    private let lone: LoneProducer
    private let store: any Store
    private let logger: Logger
    private let seen: Mutex<[ApplicationID: SeenEvents]>
    /// What waits for room at the producer waits here, away from the cooperative pool.
    private let threads = NIOThreadPool(numberOfThreads: 2)

    /// How long Kafka may take.
    private let patience: Duration
    private static let retryAfter = 5

    /// What became of a request's events.
    struct Receipt: Sendable, Hashable {
        var accepted = 0
        var duplicates = 0
    }

    /// Blocks: reads what the store remembers of earlier events.
    init(_ configuration: Configuration, bus: BusConfiguration, store: any Store, patience: Duration, logger: Logger) throws {
        self.patience = patience
        let decoder = configuration.envelopeDecoder()
        readers = Dictionary(
            uniqueKeysWithValues: configuration.applications.map { ($0.id, EventReader(application: $0, decoder: decoder)) })
        let applications = configuration.applications.map(\.id)
        let remembered = try store.write { store in
            var remembered: [ApplicationID: SeenEvents] = [:]
            for application in applications {
                var events = SeenEvents(application)
                try events.load(store)
                remembered[application] = events
            }
            return remembered
        }
        seen = Mutex(remembered)
        self.store = store
        self.logger = logger
        producer = try BusProducer(bus, limits: BusProducer.Limits(records: 10_000, bytes: 32 << 20))
        lone = LoneProducer(bus)
        threads.start()
    }

    /// Blocks until what is on its way has come to its end.
    func close(until deadline: ContinuousClock.Instant) {
        producer.close(deadline: deadline)
        lone.close(until: deadline)
        threads.shutdownGracefully { _ in }
    }

    func reader(_ application: ApplicationID) throws(Problem) -> EventReader {
        guard let reader = readers[application] else {
            throw Problem(.notFound, "unknown application", "the hub has no application \(application)", member: "application")
        }
        return reader
    }

    /// Publishes the events that Kafka does not have yet.
    func take(_ events: [HTTPEvent], of application: ApplicationID) async throws(Problem) -> Receipt {
        var receipt = Receipt()
        // With their places in the request.
        var fresh: [(place: Int, event: HTTPEvent)] = []
        var isElsewhere = false
        seen.withLock { seen in
            for (place, event) in events.enumerated() {
                switch seen[application]?.begin(event.identity) ?? .new {
                case .new: fresh.append((place, event))
                // A second time in the same request is a repetition; in another one, its end is not known yet.
                case .underWay where fresh.contains(where: { $0.event.identity == event.identity }): receipt.duplicates += 1
                case .underWay: isElsewhere = true
                case .known: receipt.duplicates += 1
                }
            }
        }
        let failures = await produce(fresh.map(\.event.record))
        let delivered = fresh.enumerated().filter { failures[$0.offset] == nil }.map(\.element.event.identity)
        let notes = seen.withLock { seen in
            for (index, fresh) in fresh.enumerated() where failures[index] != nil { seen[application]?.giveUp(fresh.event.identity) }
            return delivered.flatMap { seen[application]?.keep($0) ?? [] }
        }
        try await remember(notes)
        if let failure = failures.min(by: { $0.key < $1.key }) {
            throw problem(failure.value, at: fresh[failure.key].place, of: events.count)
        }
        if isElsewhere {
            throw Problem(
                .serviceUnavailable, "under way", "another request brings one of these events just now; send again to learn its end",
                retryAfter: 1)
        }
        receipt.accepted = fresh.count
        return receipt
    }

    private func remember(_ notes: [(name: String, text: String)]) async throws(Problem) {
        guard !notes.isEmpty else { return }
        do throws(StoreError) {
            try await store.perform { store in
                for note in notes { try store.putNote(note.text, note.name) }
            }
        } catch {
            throw Problem(
                .serviceUnavailable, "store", "Kafka has the events, but the hub could not note it: \(error.message)",
                retryAfter: Self.retryAfter)
        }
    }

    /// The errors of records that were not delivered, by their places. What was refused as too large has been tried alone.
    private func produce(_ records: [Record]) async -> [Int: BusError] {
        let deadline = ContinuousClock.now + patience
        var errors = await produceTogether(records, until: deadline)
        let places = BusProducer.placesToRepeat(records, after: errors)
        guard !places.isEmpty else { return errors }
        let repeated = await lone.produce(places.map { records[$0] }, until: deadline)
        for (index, place) in places.enumerated() { errors[place] = repeated[index] }
        return errors
    }

    private func produceTogether(_ records: [Record], until deadline: ContinuousClock.Instant) async -> [Int: BusError] {
        guard !records.isEmpty else { return [:] }
        let (producer, threads) = (producer, threads)
        return await withCheckedContinuation { continuation in
            threads.submit { state in
                do throws(BusError) {
                    guard case .active = state else { throw BusError(.closed, "the hub is stopping") }
                    try producer.submit(records, deadline: deadline) { continuation.resume(returning: $0) }
                } catch {
                    continuation.resume(returning: Dictionary(uniqueKeysWithValues: records.indices.map { ($0, error) }))
                }
            }
        }
    }

    private func problem(_ error: BusError, at index: Int, of count: Int) -> Problem {
        let member = count > 1 ? "[\(index)]" : nil
        if error.code == .recordTooLarge {
            return Problem(.contentTooLarge, "too large", "Kafka takes no record of that size: \(error.message)", member: member)
        }
        logger.warning("events by HTTP wait for Kafka: \(error)")
        return Problem(
            .serviceUnavailable, "Kafka",
            "Kafka has not confirmed the events: \(error.message). Send them again; those that it has are known",
            member: member, retryAfter: Self.retryAfter)
    }
}
