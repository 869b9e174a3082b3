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
    public struct Entry: Sendable, CustomStringConvertible {
        public var check: Check
        /// The native type, with what was tried of it; empty where the check concerns the whole driver.
        public var subject: String
        public var result: Result
        public var duration: Duration

        /// One line.
        public var description: String { line(name: 0, subject: 0) }

        /// One line, with columns of those widths.
        func line(name: Int, subject width: Int) -> String {
            let time = "\(duration.formattedSeconds) s"
            return word.padded(to: 9) + check.rawValue.padded(to: name) + subject.padded(to: width) + time.padded(to: 9) + text
        }
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

    /// What is declared absent, each once, as `check subject`: for a test that pins what a driver does not have, since one that loses a
    /// capability still passes.
    public var absent: [String] {
        Set(absences.map { $0.subject.isEmpty ? $0.check.rawValue : "\($0.check.rawValue) \($0.subject)" }).sorted()
    }

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
            lines.append("  " + entry.line(name: name, subject: subject))
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
    /// Seconds with two decimals: `1.34`.
    var formattedSeconds: String {
        let hundredths = components.seconds * 100 + components.attoseconds / 10_000_000_000_000_000
        return "\(hundredths / 100).\(hundredths % 100 < 10 ? "0" : "")\(hundredths % 100)"
    }
}
