import Foundation
import Synchronization

/// A line at the terminal that says how far the demonstration is; silent where standard error is no terminal.
final class DemoProgress: Sendable {
    private let isShown = isatty(2) == 1
    private let shown = Mutex<(text: String, time: ContinuousClock.Instant)>(("", .now - .seconds(1)))

    /// - Parameter part: 0…1; nil where nobody can tell.
    func show(_ phase: String, _ part: Double? = nil, _ note: String = "") {
        guard isShown else { return }
        let width = 28
        let filled = part.map { max(0, min(width, Int($0 * Double(width)))) } ?? 0
        let bar =
            part == nil
            ? String(repeating: "·", count: width)
            : String(repeating: "█", count: filled) + String(repeating: "░", count: width - filled)
        let text = "\(phase.padding(toLength: 26, withPad: " ", startingAt: 0)) \(bar) \(note)"
        let isDue = shown.withLock { shown in
            guard text != shown.text, ContinuousClock.now - shown.time > .milliseconds(50) || !text.hasPrefix(shown.text.prefix(26)) else {
                return false
            }
            shown = (text, .now)
            return true
        }
        if isDue { FileHandle.standardError.write(Data("\r\u{1B}[K\(text.prefix(100))".utf8)) }
    }

    func end() {
        if isShown { FileHandle.standardError.write(Data("\r\u{1B}[K".utf8)) }
    }
}
