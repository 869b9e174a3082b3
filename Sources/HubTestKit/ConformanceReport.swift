/// What a driver keeps of the contract.
public struct ConformanceReport: Sendable {
    public enum Result: Sendable, Hashable {
        /// Tried, and right; what was seen.
        case passed(String)
        /// Tried, and wrong; what was expected and what came.
        case failed(String)
        /// The driver or its application does not have it, or the bench cannot try it; why.
        case absent(String)
        /// The check has no meaning here; why.
        case notApplicable(String)
    }

    /// One check of one subject.
    public struct Entry: Sendable {
        public var check: Check
        /// The native type, with what was tried of it; empty where the check concerns the whole driver.
        public var subject: String
        public var result: Result
        public var duration: Duration
    }

    /// Driver and version.
    public var driver: String
    public var entries: [Entry] = []
    /// What the manifest says remains unsafe.
    public var window: String

    /// True where nothing failed and something was tried. What is absent is no failure, and stands in the report.
    public var hasPassed: Bool { failures.isEmpty && entries.contains { $0.isPassed } }

    /// The checks that failed.
    public var failures: [Entry] { entries.filter { if case .failed = $0.result { true } else { false } } }

    /// What the manifest or the bench declares absent.
    public var absences: [Entry] { entries.filter { if case .absent = $0.result { true } else { false } } }

    /// The results of one check.
    public func results(_ check: Check) -> [Result] { entries.filter { $0.check == check }.map(\.result) }

    /// Writes ``text`` to standard output.
    public func print() { Swift.print(text) }

    /// One line for each result, then the counts.
    public var text: String {
        let name = (entries.map(\.check.rawValue.count).max() ?? 0) + 2
        let subject = (entries.map(\.subject.count).max() ?? 0) + 2
        var lines = ["Conformance of \(driver)"]
        for entry in entries {
            let time = "\(entry.duration.formattedSeconds) s"
            lines.append(
                "  \(entry.word.padded(to: 9))\(entry.check.rawValue.padded(to: name))\(entry.subject.padded(to: subject))"
                    + "\(time.padded(to: 8))\(entry.text)")
        }
        let counts = ["passed", "FAILED", "absent", "n/a"].map { word in "\(entries.count { $0.word == word }) \(word)" }
        lines.append("\(counts.joined(separator: ", ")); it is \(hasPassed ? "kept" : "NOT kept")")
        if !window.isEmpty { lines.append("What the manifest leaves open: \(window)") }
        return lines.joined(separator: "\n")
    }
}

extension ConformanceReport.Entry {
    var isPassed: Bool { if case .passed = result { true } else { false } }

    var word: String {
        switch result {
        case .passed: "passed"
        case .failed: "FAILED"
        case .absent: "absent"
        case .notApplicable: "n/a"
        }
    }

    /// The result's words, on one line.
    var text: String {
        switch result {
        case .passed(let text), .failed(let text), .absent(let text), .notApplicable(let text):
            text.split(whereSeparator: \.isNewline).joined(separator: " ")
        }
    }
}

extension String {
    func padded(to width: Int) -> String { self + String(repeating: " ", count: max(1, width - count)) }
}

extension Duration {
    /// Seconds with one decimal: `1.3`.
    var formattedSeconds: String {
        let tenths = (components.seconds * 10) + components.attoseconds / 100_000_000_000_000_000
        return "\(tenths / 10).\(tenths % 10)"
    }
}
