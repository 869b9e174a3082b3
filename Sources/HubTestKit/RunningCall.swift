import Synchronization

/// A call that may never come back: it can be waited for with patience, called off, and waited for again.
final class RunningCall<T: Sendable>: Sendable {
    private struct State {
        var result: Result<T, any Error>?
        var waiters: [Int: CheckedContinuation<Void, Never>] = [:]
        var next = 0
    }

    private final class Box: Sendable {
        let state = Mutex(State())

        func end(_ result: Result<T, any Error>) {
            let waiters = state.withLock { state in
                state.result = result
                defer { state.waiters = [:] }
                return Array(state.waiters.values)
            }
            for waiter in waiters { waiter.resume() }
        }

        func wake(_ id: Int) { state.withLock { $0.waiters.removeValue(forKey: id) }?.resume() }
    }

    private let box = Box()
    private let task: Task<Void, Never>
    let begun = ContinuousClock.now

    init(_ body: @escaping @Sendable () async throws -> T) {
        // Owned by this object's user, who waits for its result; a driver that never ends is what the kit reports.
        task = Task { [box] in
            do { box.end(.success(try await body())) } catch { box.end(.failure(error)) }
        }
    }

    /// Asks the call to end.
    func cancel() { task.cancel() }

    /// The result, as soon as it is there; nil where the patience ends first.
    func result(within patience: Duration) async -> Result<T, any Error>? {
        let box = box
        let alarm = Mutex<Task<Void, Never>?>(nil)
        await withCheckedContinuation { continuation in
            let id = box.state.withLock { state -> Int? in
                guard state.result == nil else { return nil }
                state.next += 1
                state.waiters[state.next] = continuation
                return state.next
            }
            guard let id else { return continuation.resume() }
            alarm.withLock {
                $0 = Task {
                    guard (try? await Task.sleep(for: patience)) != nil else { return }
                    box.wake(id)
                }
            }
        }
        alarm.withLock { $0 }?.cancel()
        return box.state.withLock { $0.result }
    }
}
