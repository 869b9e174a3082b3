import Foundation
package import HubBus
package import HubConfiguration
import HubModel
import HubRules
import HubStore
import ReferenceApplication

/// Waits until nothing moves any more: feeds captured, topics read to their ends, the outbox empty, no delivery on its way.
package struct Settlement: Sendable {
    /// What still moves; empty where all is quiet.
    package private(set) var moving: [String]
    /// How long it took.
    package private(set) var elapsed: Duration

    package var isQuiet: Bool { moving.isEmpty }

    private static let waits: [TargetState.Wait.Reason] = [.ready, .calling, .settle, .retry, .changed, .unheard]

    /// Looks again and again, and completes the applications' late calls meanwhile.
    ///
    /// - Parameters:
    ///   - limit: it gives up then, and says what still moves.
    ///   - calm: how long nothing may move; longer than an application is polled where its feed cannot be looked at.
    ///   - looked: told after every look what still moves.
    package static func wait(
        _ scenario: Scenario, _ configuration: Configuration, store: StoreView, bus: BusConfiguration, within limit: Duration,
        calm: Duration = .milliseconds(100), looked: @escaping @Sendable ([String]) -> Void = { _ in }
    ) async throws -> Settlement {
        let start = ContinuousClock.now
        var quietSince: ContinuousClock.Instant?
        while true {
            try await scenario.completeLateCalls()
            let moving = try await onThread { try look(scenario, configuration, store: store, bus: bus) }
            looked(moving)
            let now = ContinuousClock.now
            // Twice at least: between two looks nothing may have come from anywhere.
            let isQuiet = moving.isEmpty && quietSince.map { now - $0 >= calm } == true
            quietSince = moving.isEmpty ? quietSince ?? now : nil
            if isQuiet || now - start > limit { return Settlement(moving: moving, elapsed: now - start) }
            try await Task.sleep(for: .milliseconds(100))
        }
    }

    /// One look: what still moves, in words. Blocks.
    package static func look(
        _ scenario: Scenario, _ configuration: Configuration, store: StoreView, bus: BusConfiguration
    ) throws -> [String] {
        var moving = try uncaptured(scenario, configuration)
        if !moving.isEmpty { return moving }
        let plan = configuration.plan()
        let topics = Set(configuration.applications.flatMap(\.inboundTopics)).sorted()
        let admin = try BusAdmin(bus)
        defer { admin.close() }
        let marks = try admin.watermarks(of: topics, deadline: .now + .seconds(20))
        moving += try store.read { store in
            var moving: [String] = []
            for (partition, mark) in marks.sorted(by: { $0.key < $1.key }) {
                let offset = try store.offset(plan.mediationGroup, partition) ?? 0
                if offset < mark.high { moving.append("\(partition): mediation is at \(offset) of \(mark.high)") }
            }
            if try !store.outbox(after: 0, limit: 1).isEmpty { moving.append("the outbox is not empty") }
            if try !store.releasable(limit: 1).isEmpty { moving.append("waiting events could go on") }
            for application in configuration.applications {
                for reason in Self.waits {
                    let rows = try store.waiting(application.id, [reason], until: nil, limit: 1000)
                    guard let first = rows.first else { continue }
                    moving.append("\(application.id): \(rows.count) deliveries wait (\(reason.rawValue)), the first \(first.target.id)")
                }
            }
            if !moving.isEmpty { return moving }
            // The rest is only looked at when everything cheap is quiet.
            try store.eachGoldenRecord(of: plan) { golden in
                for application in configuration.applications where plan.binding(application.id, golden.entity) != nil {
                    let state = try store.target(plan.target(application.id, golden.entity, golden.company, golden.id))
                    if state.delivered >= golden.version || state.wait != nil { continue }
                    if state.key == nil && !plan.policy(golden.entity).sends(golden.fields, to: application.id) { continue }
                    moving.append("\(application.id): \(golden.id) is at \(state.delivered) of \(golden.version)")
                }
            }
            return moving
        }
        return moving
    }

    /// Feeds that have not been captured to their ends, by the position files that captures leave.
    private static func uncaptured(_ scenario: Scenario, _ configuration: Configuration) throws -> [String] {
        try scenario.files.sorted { $0.key < $1.key }.compactMap { application, file in
            let count = try file.eventCount()
            let path = configuration.storePath + ".capture/\(application).position"
            let text = FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) } ?? ""
            let position = Int(text) ?? 0
            return position < count ? "\(application): captured up to \(position) of \(count) events" : nil
        }
    }
}

/// Runs what blocks away from Swift's cooperative pool.
package func onThread<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T {
    try await withCheckedThrowingContinuation { continuation in
        let thread = Thread { continuation.resume(with: Result { try body() }) }
        thread.stackSize = 8 << 20
        thread.start()
    }
}

extension StoreTransaction {
    /// All golden records in dependency order, deleted ones included.
    func eachGoldenRecord(of plan: HubPlan, _ body: (GoldenRecord) throws -> Void) throws {
        for entity in plan.dependencyOrder() {
            var after: GoldenRecord?
            while true {
                let page = try goldenRecords(entity, after: after?.id, limit: 500)
                for golden in page { try body(golden) }
                guard page.count == 500 else { break }
                after = page.last
            }
        }
    }
}
