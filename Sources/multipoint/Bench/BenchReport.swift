import Foundation
import HubCodec
import HubModel

/// One line of the benchmark's table.
struct BenchRow: Sendable {
    /// Whether a value has to be reached, or not to be passed; nil where the line is for information.
    enum Target: Sendable {
        case atLeast(Double)
        case atMost(Double)
    }

    var name: String
    /// What exactly was measured, for people.
    var what: String
    /// One per run.
    var values: [Double]
    var unit: String
    /// The yardstick of each run; empty where there is none.
    var baselines: [Double] = []
    /// What the value has to reach.
    var target: Target?
    /// What value / baseline has to reach.
    var ratioTarget: Target?

    var value: Double { values.median }
    var baseline: Double? { baselines.isEmpty ? nil : baselines.median }

    /// The median of the runs' own ratios: what disturbs the machine disturbs both sides of a run.
    var ratio: Double? {
        guard !baselines.isEmpty else { return nil }
        return zip(values, baselines).map { $0 / $1 }.median
    }

    /// Nil where the line has no target.
    var isMet: Bool? {
        if target == nil && ratioTarget == nil { return nil }
        return (target?.isMet(by: value) ?? true) && (ratioTarget?.isMet(by: ratio ?? .nan) ?? true)
    }

    var targetText: String {
        var parts: [String] = []
        if let target { parts.append(target.text { Self.text($0, unit) }) }
        if let ratioTarget { parts.append(ratioTarget.text { String(format: "%.2f", $0) } + " x baseline") }
        return parts.isEmpty ? "–" : parts.joined(separator: ", ")
    }

    static func text(_ number: Double, _ unit: String) -> String {
        let digits = number >= 1000 ? 0 : number >= 10 ? 1 : 2
        var text = String(format: "%.\(digits)f", number)
        if digits == 0 {
            var grouped = ""
            for (place, digit) in text.reversed().enumerated() {
                if place > 0, place.isMultiple(of: 3), digit != "-" { grouped.append(",") }
                grouped.append(digit)
            }
            text = String(grouped.reversed())
        }
        return unit.isEmpty ? text : "\(text) \(unit)"
    }

    var cells: [String] {
        let spread = values.count > 1 ? " (\(Self.text(values.min() ?? 0, ""))–\(Self.text(values.max() ?? 0, "")))" : ""
        return [
            name, Self.text(value, unit) + spread, baseline.map { Self.text($0, unit) } ?? "–",
            ratio.map { String(format: "%.2f", $0) } ?? "–", targetText, isMet.map { $0 ? "yes" : "NO" } ?? "–",
        ]
    }

    var json: Value {
        func number(_ double: Double) -> Value { Number(String(format: "%.4f", double)).map { .number($0) } ?? .null }
        return [
            "measurement": .string(name), "what": .string(what), "unit": .string(unit), "value": number(value),
            "runs": .array(values.map(number)), "baseline": baseline.map(number) ?? .null, "baselineRuns": .array(baselines.map(number)),
            "ratio": ratio.map(number) ?? .null,
            "target": .string(targetText), "met": isMet.map { .bool($0) } ?? .null,
        ]
    }
}

extension BenchRow.Target {
    fileprivate func isMet(by value: Double) -> Bool {
        switch self {
        case .atLeast(let limit): value >= limit
        case .atMost(let limit): value <= limit
        }
    }

    fileprivate func text(_ number: (Double) -> String) -> String {
        switch self {
        case .atLeast(let limit): ">= \(number(limit))"
        case .atMost(let limit): "<= \(number(limit))"
        }
    }
}

extension [Double] {
    var median: Double {
        let sorted = sorted()
        if sorted.isEmpty { return .nan }
        let middle = sorted.count / 2
        return sorted.count.isMultiple(of: 2) ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[middle]
    }
}

extension Duration {
    /// Seconds with their fraction.
    var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}

/// What is going on, on standard error where that is a terminal.
enum BenchProgress {
    private static let isShown = isatty(2) == 1

    static func tell(_ text: String) {
        guard isShown else { return }
        FileHandle.standardError.write(Data("\r\u{1B}[K\(text)".utf8))
    }

    static func done() { if isShown { FileHandle.standardError.write(Data("\r\u{1B}[K".utf8)) } }
}

/// What ended a measurement.
struct BenchFailure: Error, CustomStringConvertible {
    var description: String
    init(_ text: String) { description = text }
}

/// Sizes of the measurements.
struct BenchSize: Sendable {
    var runs: Int
    var isQuick: Bool
    /// Documents that updates are spread over.
    var customers: Int { isQuick ? 2_000 : 10_000 }
    var codecEvents: Int { isQuick ? 100_000 : 500_000 }
    /// Events of one run through the store or through mediation.
    var storeEvents: Int { isQuick ? 10_000 : 30_000 }
    var consumerRecords: Int { isQuick ? 30_000 : 90_000 }
    var latencySeconds: Int { isQuick ? 4 : 12 }
    var memoryEvents: Int { isQuick ? 100_000 : 1_000_000 }
}
