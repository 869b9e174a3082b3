/// How an application's tables say which of its documents have changed: what a driver knows of that, so that nobody has to write it.
public struct SignalMap: Sendable, Hashable {
    /// Values of the settings `signal.…` where the configuration gives none, by their names without `signal.`. Where it gives one, a line
    /// `builtin` in it stands for this one.
    public var settings: [String: String]
    public var companions: [Companion]

    /// A type whose documents have the keys of another type's, and may change whenever those do.
    public struct Companion: Sendable, Hashable {
        public var native: String
        public var of: String
        /// The application's name of the company whose documents they are; nil: they are shared.
        public var company: String?

        public init(native: String, of: String, company: String? = nil) {
            self.native = native
            self.of = of
            self.company = company
        }
    }

    public init(settings: [String: String], companions: [Companion] = []) {
        self.settings = settings
        self.companions = companions
    }

    /// A setting as it was written (nil: it was not), with this driver's own value where that is asked for.
    public func setting(_ name: String, _ written: String?) -> String? {
        guard let own = settings[name] else { return written }
        guard let written else { return own }
        return written.split(separator: "\n", omittingEmptySubsequences: false)
            .map { $0.trimmed == "builtin" ? own : String($0) }
            .joined(separator: "\n")
    }
}

extension Substring {
    fileprivate var trimmed: Substring {
        let front = drop(while: \.isWhitespace)
        return front.dropLast(front.reversed().prefix(while: \.isWhitespace).count)
    }
}
