/// A golden record's version: totally ordered, never reused. A restored store raises the generation.
public struct Version: Sendable, Hashable, Comparable, CustomStringConvertible {
    public var generation: Int
    public var number: Int

    public init(generation: Int, number: Int) {
        self.generation = generation
        self.number = number
    }

    /// Before any version.
    public static let none = Version(generation: 0, number: 0)

    public static func < (a: Version, b: Version) -> Bool { (a.generation, a.number) < (b.generation, b.number) }

    /// `1.17`: generation, then number.
    public var description: String { "\(generation).\(number)" }

    public init?(_ text: String) {
        let parts = text.split(separator: ".", maxSplits: 1)
        guard parts.count == 2, let generation = Int(parts[0]), let number = Int(parts[1]) else { return nil }
        self.init(generation: generation, number: number)
    }
}
