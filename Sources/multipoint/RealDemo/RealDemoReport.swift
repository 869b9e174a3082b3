import HubModel
import HubStore

/// What became of a demonstration on real systems.
struct RealDemoReport: Sendable {
    struct Step: Sendable {
        var title: String
        var took: Duration
        /// What went wrong; nil where nothing did.
        var failure: String?
    }

    var steps: [Step] = []
    var elapsed: Duration = .zero
    var summary = HubSummary()

    var passed: Int { steps.count { $0.failure == nil } }
    var isWell: Bool { passed == steps.count && !steps.isEmpty }

    var lines: [String] {
        var lines = ["", "What the hub did"] + summary.lines.map { "  " + $0 } + [""]
        for (number, step) in steps.enumerated() {
            let end = step.failure.map { "FAILED: \($0)" } ?? "passed"
            lines.append("\(number + 1). \(step.title): \(end), \(step.took.tenths)")
        }
        return lines + ["", "\(passed) of \(steps.count) steps passed in \(elapsed.tenths)"]
    }

    var value: Value {
        [
            "passed": .number(Number(Int64(passed))), "seconds": .number(Number(elapsed.milliseconds, scale: 3)),
            "steps": .array(
                steps.map {
                    [
                        "title": .string($0.title), "seconds": .number(Number($0.took.milliseconds, scale: 3)),
                        "failure": $0.failure.map { .string($0) } ?? .null,
                    ]
                }),
            "hub": .array(summary.lines.map { .string($0) }),
        ]
    }
}

extension Duration {
    /// `12.3 s`
    var tenths: String {
        let tenths = (milliseconds + 50) / 100
        return "\(tenths / 10).\(tenths % 10) s"
    }
}
