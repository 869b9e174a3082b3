import Foundation
import HubModel
import HubRules
import Synchronization

/// Runs many seeds, on several threads, and keeps the shortest violation.
package struct Explorer: Sendable {
    package var options: SimulationOptions
    package var threads: Int

    package init(options: SimulationOptions, threads: Int = 2) {
        self.options = options
        self.threads = threads
    }

    /// What a range of seeds showed.
    package struct Report: Sendable {
        package var seeds = 0
        package var steps: Int64 = 0
        package var writes = 0
        package var versions = 0
        /// Unconditional writes that covered an unheard state and were taken for a person's change when heard (see ``World/windows``).
        package var windows = 0
        /// Violating runs by invariant.
        package var found: [Int: Int] = [:]
        package var first: Finding?
    }

    package struct Finding: Sendable {
        package var seed: UInt64
        package var steps: Int
        package var violation: String
        package var trace: [String]
    }

    /// - Parameter progress: called now and then with the number of seeds done, from several threads.
    package func explore(_ seeds: Range<UInt64>, stopAtFirst: Bool = false, progress: @escaping @Sendable (Int) -> Void = { _ in })
        -> Report
    {
        // The mappings are compiled once for all seeds.
        let plans = try? SimulationPlan.plans(options)
        let state = Mutex((report: Report(), next: seeds.lowerBound))
        let threads = (0..<max(1, threads)).map { _ in
            OwnThread {
                while let seed = state.withLock({ state -> UInt64? in
                    guard state.next < seeds.upperBound, !(stopAtFirst && state.report.first != nil) else { return nil }
                    defer { state.next += 1 }
                    return state.next
                }) {
                    let (world, finding) = run(seed, plans)
                    let done = state.withLock { state in
                        state.report.seeds += 1
                        state.report.steps += world?.now ?? 0
                        state.report.writes += world?.writes ?? 0
                        state.report.windows += world?.windows ?? 0
                        state.report.versions += world?.topic.count ?? 0
                        if let finding {
                            state.report.found[finding.invariant, default: 0] += 1
                            if state.report.first.map({ finding.finding.seed < $0.seed }) ?? true { state.report.first = finding.finding }
                        }
                        return state.report.seeds
                    }
                    if done % 100 == 0 { progress(done) }
                }
            }
        }
        for thread in threads { thread.join() }
        return state.withLock { $0.report }
    }

    /// The shortest run that still breaks a rule, with its trace; nil where no seed does.
    package func shrink(_ seeds: Range<UInt64>) -> Finding? {
        for steps in [20, 30, 40, 60, 80, 120, 200, 300] {
            var smaller = self
            smaller.options.steps = steps
            if let found = smaller.explore(seeds, stopAtFirst: true).first {
                smaller.options.traces = true
                return smaller.run(found.seed, try? SimulationPlan.plans(options)).finding?.finding
            }
        }
        return nil
    }

    private func run(_ seed: UInt64, _ plans: [[ApplicationID]: HubPlan]?) -> (World?, finding: (invariant: Int, finding: Finding)?) {
        var world: World?
        do {
            let made = try World(seed: seed, options: options, plans: plans ?? SimulationPlan.plans(options))
            world = made
            try made.run()
            return (made, nil)
        } catch let violation as Violation {
            let finding = Finding(seed: seed, steps: options.steps, violation: violation.description, trace: world?.trace ?? [])
            return (world, (violation.invariant, finding))
        } catch {
            return (world, (99, Finding(seed: seed, steps: options.steps, violation: "error: \(error)", trace: world?.trace ?? [])))
        }
    }
}

/// A thread that can be waited for.
private final class OwnThread: Sendable {
    private let done = DispatchSemaphore(value: 0)

    init(_ body: @escaping @Sendable () -> Void) {
        let thread = Thread { [done] in
            body()
            done.signal()
        }
        thread.stackSize = 8 << 20
        thread.start()
    }

    func join() { done.wait() }
}
