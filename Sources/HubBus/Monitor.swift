// librdkafka's headers bring the declarations of some pthread types with them.
import CRdKafka
import Glibc

/// A value behind a lock, with waiting: for threads that may block. `Synchronization.Mutex` has no condition to wait for.
///
/// `@unchecked Sendable` because the value is touched only while the lock is held.
final class Monitor<State: Sendable>: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var state: State

    init(_ state: State) {
        self.state = state
        pthread_mutex_init(mutex, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(condition, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    /// Runs `body` with the value, waking nobody.
    func withLock<R, E: Error>(_ body: (inout State) throws(E) -> R) throws(E) -> R {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return try body(&state)
    }

    /// Runs `body` with the value and wakes all who wait.
    func update<R, E: Error>(_ body: (inout State) throws(E) -> R) throws(E) -> R {
        pthread_mutex_lock(mutex)
        defer {
            pthread_cond_broadcast(condition)
            pthread_mutex_unlock(mutex)
        }
        return try body(&state)
    }

    /// Runs `body`, now and after every update, until it answers; nil when `deadline` passes first.
    @discardableResult
    func wait<R>(until deadline: ContinuousClock.Instant? = nil, _ body: (inout State) -> R?) -> R? {
        var limit = deadline.map { timespec(monotonic: ContinuousClock.now.duration(to: $0)) }
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while true {
            if let result = body(&state) { return result }
            if limit != nil {
                if pthread_cond_timedwait(condition, mutex, &limit!) != 0 { return body(&state) }
            } else {
                pthread_cond_wait(condition, mutex)
            }
        }
    }
}

extension timespec {
    /// The moment `duration` from now on the monotonic clock.
    fileprivate init(monotonic duration: Duration) {
        self.init()
        clock_gettime(CLOCK_MONOTONIC, &self)
        guard duration > .zero else { return }
        let parts = duration.components
        let nanoseconds = tv_nsec + Int(parts.attoseconds / 1_000_000_000)
        tv_sec += Int(parts.seconds) + nanoseconds / 1_000_000_000
        tv_nsec = nanoseconds % 1_000_000_000
    }
}

extension ContinuousClock.Instant {
    /// Milliseconds from now, as librdkafka takes time-outs: never negative, at most a day.
    var millisecondsLeft: Int32 {
        let parts = ContinuousClock.now.duration(to: self).components
        guard parts.seconds < 86_400 else { return 86_400_000 }
        return max(0, Int32(parts.seconds) * 1000 + Int32(parts.attoseconds / 1_000_000_000_000_000))
    }
}

/// A thread of the bus's own: nothing here runs on Swift's cooperative pool.
final class BusThread: Sendable {
    private struct State: Sendable {
        var isFinished = false
        var identity: pthread_t?
    }

    private final class Start {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }

    private let state: Monitor<State>

    /// Starts a thread; `name` is for the error where that fails.
    init(_ name: String, _ body: @escaping @Sendable () -> Void) throws(BusError) {
        let state = Monitor(State())
        self.state = state
        let start = Unmanaged.passRetained(
            Start {
                state.update { $0.identity = pthread_self() }
                body()
                state.update { $0.isFinished = true }
            })
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        defer { pthread_attr_destroy(&attributes) }
        var thread = pthread_t()
        let result = pthread_create(
            &thread, &attributes,
            { opaque in
                if let opaque { Unmanaged<Start>.fromOpaque(opaque).takeRetainedValue().body() }
                return nil
            }, start.toOpaque())
        if result != 0 {
            start.release()
            throw BusError(.other, "could not start thread \(name): error \(result)")
        }
    }

    /// Whether the caller runs on this thread.
    var isCurrent: Bool {
        state.withLock { $0.identity.map { pthread_equal($0, pthread_self()) != 0 } ?? false }
    }

    /// Blocks until the thread's body has ended.
    func join() { state.wait { $0.isFinished ? true : nil } }

    /// Blocks until the thread's body has ended; false where the deadline came first.
    func join(until deadline: ContinuousClock.Instant) -> Bool {
        state.wait(until: deadline) { $0.isFinished ? true : nil } ?? false
    }
}
