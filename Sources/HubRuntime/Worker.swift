import Foundation

/// A thread with a name that ends when it is told to, and can be waited for.
final class Worker: Sendable {
    private let finished = DispatchSemaphore(value: 0)

    /// - Parameter body: returns when the worker's owner has told it to stop.
    init(_ name: String, _ body: @escaping @Sendable () -> Void) {
        let thread = Thread { [finished] in
            body()
            finished.signal()
        }
        thread.name = name
        thread.stackSize = 8 << 20
        thread.start()
    }

    /// Waits for the end; false where the deadline came first.
    func join(until deadline: ContinuousClock.Instant) -> Bool {
        let left = ContinuousClock.now.duration(to: deadline).milliseconds
        guard finished.wait(timeout: .now() + .milliseconds(Int(max(0, left)))) == .success else { return false }
        finished.signal()
        return true
    }
}

extension Duration {
    /// Whole milliseconds.
    fileprivate var milliseconds: Int64 { components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000 }
}

/// A bell: waiting ends when it rings, and a ring while nobody waits is not lost.
package final class Bell: @unchecked Sendable {
    // @unchecked because the only state is guarded by the condition's own lock.
    private let condition = NSCondition()
    private var rung = false

    package init() {}

    package func ring() {
        condition.lock()
        rung = true
        condition.broadcast()
        condition.unlock()
    }

    /// Waits for a ring, at most that long.
    package func wait(milliseconds: Int) {
        condition.lock()
        defer { condition.unlock() }
        let end = Date(timeIntervalSinceNow: Double(milliseconds) / 1000)
        while !rung, condition.wait(until: end) {}
        rung = false
    }
}
