import HubModel
import HubStore

/// The events of one application that Kafka has got by HTTP, the newest of them: by these a sender's repetition is recognised.
///
/// A ring of places, each a note in the store; the oldest event is forgotten when a new one takes its place.
struct SeenEvents: Sendable {
    /// What an identity turned out to be.
    enum Standing: Sendable, Hashable {
        case new
        /// Kafka has it.
        case known
        /// Another request brings it just now.
        case underWay
    }

    let application: ApplicationID
    let capacity: Int
    private var places: [Int: EventIdentity] = [:]
    private var known: Set<EventIdentity> = []
    private var underWay: Set<EventIdentity> = []
    /// Where the next one goes.
    private var next = 0

    /// Events that one application is remembered for.
    static let window = 20_000

    init(_ application: ApplicationID, capacity: Int = SeenEvents.window) {
        self.application = application
        self.capacity = max(1, capacity)
    }

    // MARK: In memory

    /// Tells what an event is; a new one is under way from now on.
    mutating func begin(_ identity: EventIdentity) -> Standing {
        if known.contains(identity) { return .known }
        return underWay.insert(identity).inserted ? .new : .underWay
    }

    /// It did not get to Kafka.
    mutating func giveUp(_ identity: EventIdentity) { underWay.remove(identity) }

    /// Kafka has it. Gives the notes to store.
    mutating func keep(_ identity: EventIdentity) -> [(name: String, text: String)] {
        underWay.remove(identity)
        guard known.insert(identity).inserted else { return [] }
        if let oldest = places.updateValue(identity, forKey: next) { known.remove(oldest) }
        let note = (name: prefix + String(next), text: identity.text)
        next = (next + 1) % capacity
        return [note, (name: nextName, text: String(next))]
    }

    // MARK: In the store

    private var prefix: String { "http-seen/\(application)/" }
    private var nextName: String { "http-next/\(application)" }

    /// What the store remembers.
    mutating func load(_ store: any StoreTransaction) throws(StoreError) {
        for note in try store.notes(prefix) {
            guard let place = Int(note.name.dropFirst(prefix.count)), (0..<capacity).contains(place) else { continue }
            let identity = EventIdentity(text: note.text)
            places[place] = identity
            known.insert(identity)
        }
        next = try store.note(nextName).flatMap { Int($0) }.map { $0 % capacity } ?? 0
    }
}
