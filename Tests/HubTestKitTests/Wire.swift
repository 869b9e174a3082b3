import HubModel
import Synchronization

@testable import HubTestKit

/// A way to the warehouse.
protocol Line: Sendable {
    /// One request and its answer.
    func request<T: Sendable>(_ work: @escaping @Sendable () throws -> T) async throws -> T
}

enum LineFailure: Error {
    /// No connection; the request never left.
    case refused
    /// The connection went while the request was under way.
    case reset
}

/// A way without sockets, on which requests meet the faults that a proxy would make.
final class Wire: Line, FaultInjector {
    private struct State {
        var `switch` = ProxySwitch()
    }

    private let state = Mutex(State())

    func canMake(_ fault: Fault) -> Bool { true }
    func arm(_ fault: Fault) async throws { state.withLock { $0.switch.arm(fault) } }
    var hasStruck: Bool { state.withLock { $0.switch.hasStruck } }
    var traffic: Traffic? { state.withLock { $0.switch.traffic } }

    func request<T: Sendable>(_ work: @escaping @Sendable () throws -> T) async throws -> T {
        if state.withLock({ $0.switch.isRefusing }) { throw LineFailure.refused }
        let (number, fate) = state.withLock { $0.switch.request(now: .now) }
        defer { state.withLock { $0.switch.ended(number) } }
        switch fate {
        case .passes: break
        case .reset: throw LineFailure.reset
        case .swallowed:
            try? await Task.sleep(for: .seconds(60))
            throw LineFailure.reset
        case .late(let until):
            // On its way whatever becomes of the caller; ends by itself soon after.
            Task.detached {
                try? await Task.sleep(until: until, clock: .continuous)
                _ = try? work()
            }
            try? await Task.sleep(for: .seconds(60))
            throw LineFailure.reset
        }
        let result = Result { try work() }
        switch state.withLock({ $0.switch.answer(to: number, isLate: false, now: .now) }) {
        case .passes: break
        case .lost: throw LineFailure.reset
        case .held(let until):
            guard (try? await Task.sleep(until: until, clock: .continuous)) != nil else { throw LineFailure.reset }
        case .heldFor(let body): await body()
        }
        return try result.get()
    }
}
