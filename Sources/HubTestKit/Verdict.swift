/// How a check ends that does not pass.
enum Verdict: Error {
    case failed(String)
    case absent(String)
    case notApplicable(String)

    /// Fails where this does not hold.
    static func require(_ holds: Bool, _ text: @autoclosure () -> String) throws(Verdict) {
        if !holds { throw .failed(text()) }
    }
}
