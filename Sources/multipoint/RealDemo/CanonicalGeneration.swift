import HubModel
import HubStore

/// Generations of canonical ids: a store that begins empty must not give ids again that an application has from an earlier hub.
enum CanonicalGeneration {
    /// More than any hub will see; a number above it stands in an id that no hub has given.
    private static let largest = 1 << 40

    /// The generation in an id such as `customer-7-42`, whatever stands before it; nil where it is none.
    static func of(_ id: String) -> Int? {
        let parts = id.split(separator: "-")
        guard parts.count == 3, let generation = Int(parts[1]), (1...largest).contains(generation) else { return nil }
        return generation
    }

    /// Makes a store begin with the generation after that one.
    static func raise(past used: Int) -> @Sendable (any Store) throws(StoreError) -> Void {
        { store throws(StoreError) in
            try store.write { store in
                if try store.generation() <= used { _ = try store.raiseGeneration(past: used) }
            }
        }
    }
}
