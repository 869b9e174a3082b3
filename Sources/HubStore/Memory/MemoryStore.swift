import HubModel
import Synchronization

/// A store that ends with its process: for simulations, tests and trials. Transactions run at once, on the caller's thread, one after another.
///
/// Nothing may be called from inside a transaction's body.
package final class MemoryStore: Store {
    private let lock = Mutex(())
    // nonisolated(unsafe) because it is touched only while `lock` is held: a mutex around it would refuse bodies that are not sendable.
    nonisolated(unsafe) private var contents: Contents

    /// An empty store of generation 1; `storeID` becomes the note `store-id`.
    package init(storeID: String = MemoryStore.randomID()) {
        contents = Contents(transaction: MemoryTransaction(MemoryState(storeID: storeID)))
    }

    /// A store as it stood when that backup of another was made; nil where there is none of that name.
    package init?(restoring path: String, of other: MemoryStore) {
        guard let state = other.locked({ other.contents.backups[ExactText(path)] }) else { return nil }
        contents = Contents(transaction: MemoryTransaction(state))
    }

    package func write<T: Sendable>(_ body: @escaping @Sendable (any StoreTransaction) throws -> T) throws(StoreError) -> T {
        try withTransaction(body)
    }

    /// ``write(_:)`` for a body that need be neither escaping nor sendable.
    package func withTransaction<T>(_ body: (any StoreTransaction) throws -> T) throws(StoreError) -> T {
        try locked { contents.run(body) }.get()
    }

    private func locked<R>(_ body: () -> R) -> R {
        // nonisolated(unsafe) because the body runs at once, on this very thread.
        nonisolated(unsafe) let body = body
        return lock.withLock { _ in
            nonisolated(unsafe) let result = body()
            return result
        }
    }

    package func submit<T: Sendable>(
        _ body: @escaping @Sendable (any StoreTransaction) throws -> T, completion: @escaping @Sendable (Result<T, StoreError>) -> Void
    ) {
        completion(Result { () throws(StoreError) -> T in try withTransaction(body) })
    }

    /// Keeps a copy under that name, in memory; ``init(restoring:of:)`` opens it.
    package func backup(to path: String) throws(StoreError) {
        let isNew = locked {
            if contents.backups[ExactText(path)] != nil { return false }
            contents.backups[ExactText(path)] = contents.transaction.state
            return true
        }
        if !isNew { throw StoreError(.failed, "There is a backup “\(path)” already; backups are never overwritten.") }
    }

    package func close() { locked { contents.isClosed = true } }

    /// A random name for a new store: 128 bits in hexadecimal digits.
    package static func randomID() -> String {
        (0..<2).map { _ in
            let digits = String(UInt64.random(in: 0...UInt64.max), radix: 16)
            return String(repeating: "0", count: 16 - digits.utf8.count) + digits
        }.joined()
    }

    private struct Contents {
        let transaction: MemoryTransaction
        var backups: [ExactText: MemoryState] = [:]
        var isClosed = false

        init(transaction: sending MemoryTransaction) { self.transaction = transaction }

        func run<T>(_ body: (any StoreTransaction) throws -> T) -> Result<T, StoreError> {
            if isClosed { return .failure(StoreError(.closed, "The store has been closed.")) }
            do {
                let result = try body(transaction)
                if let refusal = transaction.refusal { throw refusal }
                transaction.state.commit()
                return .success(result)
            } catch {
                transaction.state.rollBack()
                transaction.refusal = nil
                return .failure(StoreError(ofBody: error))
            }
        }
    }
}

extension StoreError {
    /// What a transaction whose body threw this ends with.
    init(ofBody error: any Error) {
        self = error as? StoreError ?? StoreError(.body, "The transaction was given up: \(error)", cause: error)
    }
}
