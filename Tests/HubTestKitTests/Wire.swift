import HubModel
import Synchronization

@testable import HubTestKit

/// The way to the warehouse: each request passes it, and meets the faults that a proxy would make.
final class Wire: FaultInjector {
    enum Failure: Error {
        /// No connection; the request never left.
        case refused
        /// The connection went while the request was under way.
        case reset
    }

    private struct State {
        var `switch` = ProxySwitch()
        var isClosed = false
    }

    private let state = Mutex(State())

    func canMake(_ fault: Fault) -> Bool { true }
    func arm(_ fault: Fault) async throws { state.withLock { $0.switch.arm(fault) } }
    var hasStruck: Bool { state.withLock { $0.switch.hasStruck } }
    var traffic: Traffic? { state.withLock { $0.switch.traffic } }

    /// One request and its answer.
    func request<T: Sendable>(_ work: @escaping @Sendable () throws -> T) async throws -> T {
        let isRefused = state.withLock { if case .refused = $0.switch.fault { true } else { false } }
        if isRefused { throw Failure.refused }
        let (number, fate) = state.withLock { $0.switch.request(now: .now) }
        defer { state.withLock { $0.switch.ended(number) } }
        switch fate {
        case .passes: break
        case .reset: throw Failure.reset
        case .swallowed:
            try? await Task.sleep(for: .seconds(60))
            throw Failure.reset
        case .late(let until):
            // On its way whatever becomes of the caller; ends by itself soon after.
            Task.detached {
                try? await Task.sleep(until: until, clock: .continuous)
                _ = try? work()
            }
            try? await Task.sleep(for: .seconds(60))
            throw Failure.reset
        }
        let result = Result { try work() }
        switch state.withLock({ $0.switch.answer(to: number, isLate: false, now: .now) }) {
        case .passes: break
        case .lost: throw Failure.reset
        case .held(let until):
            guard (try? await Task.sleep(until: until, clock: .continuous)) != nil else { throw Failure.reset }
        case .heldFor(let body): await body()
        }
        return try result.get()
    }
}
