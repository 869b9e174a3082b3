import HubTestKit
import ReferenceApplication
import Synchronization

/// The faults that a reference application's file can plan, for the conformance kit: its driver has no network between.
///
/// A call is one request there: a fault at a second one never happens. Answers cannot be slowed by a given time or held, and nothing happens between two requests.
final class FileFaults: FaultInjector {
    private struct State {
        var hasStruck = false
        var host: Task<Void, Never>?
    }

    private let file: ApplicationFile
    private let state = Mutex(State())

    init(_ file: ApplicationFile) { self.file = file }

    func canMake(_ fault: Fault) -> Bool {
        switch fault {
        case .slowAnswers, .heldAnswer, .outage: false
        default: true
        }
    }

    func arm(_ fault: Fault) async throws {
        let host = state.withLock { state in
            state.hasStruck = false
            defer { state.host = nil }
            return state.host
        }
        host?.cancel()
        await host?.value
        guard let plan = Self.plan(fault) else { return try await file.setFaults(nil) }
        try await file.setFaults(plan)
        let file = file
        state.withLock { state in
            state.hasStruck = true
            guard plan.late > 0 else { return }
            // Does what the application's own program would: lets late calls take effect when their time has come.
            state.host = Task {
                while !Task.isCancelled {
                    _ = try? await file.completeLateCalls()
                    try? await Task.sleep(for: .milliseconds(5))
                }
            }
        }
    }

    private static func plan(_ fault: Fault) -> FaultPlan? {
        switch fault {
        case .refused: FaultPlan(isDown: true)
        case .silent: FaultPlan(latency: .seconds(3600))
        case .lostRequest(1): FaultPlan(unreachable: 1)
        case .lostAnswer(1): FaultPlan(lostAnswer: 1)
        case .lateRequest(1, _): FaultPlan(late: 1)
        default: nil
        }
    }

    var hasStruck: Bool { state.withLock { $0.hasStruck } }
    var traffic: Traffic? { nil }
}

/// While it runs, every write fails before any work is done.
func whileFailing(_ file: ApplicationFile, _ body: () async throws -> Void) async throws {
    try await file.setFaults(FaultPlan(failure: 1))
    do { try await body() } catch {
        try await file.setFaults(nil)
        throw error
    }
    try await file.setFaults(nil)
}

/// What the reference applications' tests run with.
var conformanceOptions: ConformanceOptions {
    var options = ConformanceOptions()
    options.captureTime = .milliseconds(500)
    return options
}
