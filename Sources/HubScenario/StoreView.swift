package import HubStore

/// A way to look at a store: of a hub in this process, or of one in another.
package enum StoreView: Sendable {
    /// The store itself, held by this process.
    case held(any Store)
    /// The file of a store that another process holds, or none.
    case file(String)

    /// One consistent state. Blocks.
    package func read<T: Sendable>(_ body: @escaping @Sendable (any StoreTransaction) throws -> T) throws(StoreError) -> T {
        switch self {
        case .held(let store): return try store.write(body)
        case .file(let path):
            let reader = try SQLiteStore.openReader(path: path)
            defer { reader.close() }
            return try reader.read(body)
        }
    }
}
