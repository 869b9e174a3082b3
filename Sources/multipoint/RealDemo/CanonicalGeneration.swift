import HubModel
import HubStore

/// Generations of canonical ids: a store that begins empty must not give ids again that an application has from an earlier hub.
enum CanonicalGeneration {
    /// The generation in an id such as `customer-7-42`, whatever stands before it; nil where it is none.
    static func of(_ id: String) -> Int? {
        let parts = id.split(separator: "-")
        return parts.count == 3 ? Int(parts[1]) : nil
    }

    /// Makes a store begin with the generation after that one.
    static func raise(past used: Int) -> @Sendable (any Store) throws(StoreError) -> Void {
        { store throws(StoreError) in
            try store.write { store in
                while try store.generation() <= used { _ = try store.raiseGeneration() }
            }
        }
    }
}
