import Synchronization

/// Time limits for questions that may not come back.
enum Limit {
    /// The body's result; nil where it takes longer. A body that does not heed its cancellation is left behind, and ends with the process.
    static func first<T: Sendable>(within limit: Duration, _ body: @escaping @Sendable () async -> T) async -> T? {
        let open = Open<T>()
        return await withCheckedContinuation { continuation in
            open.continuation.withLock { $0 = continuation }
            let work = Task { open.end(await body()) }
            Task {
                try? await Task.sleep(for: limit)
                work.cancel()
                open.end(nil)
            }
        }
    }

    /// A continuation that whoever comes first resumes.
    private final class Open<T: Sendable>: Sendable {
        let continuation = Mutex<CheckedContinuation<T?, Never>?>(nil)

        func end(_ value: T?) {
            let waiting = continuation.withLock { waiting in
                defer { waiting = nil }
                return waiting
            }
            waiting?.resume(returning: value)
        }
    }
}
