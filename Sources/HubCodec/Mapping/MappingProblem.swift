/// One thing wrong in a mapping file.
package struct MappingProblem: Sendable, Hashable, CustomStringConvertible {
    package var file: String
    /// Counted from 1; 0 where the problem has no place of its own.
    package var line: Int
    /// Counted from 1 in Unicode scalars.
    package var column: Int
    /// What is wrong and what to write instead.
    package var text: String

    package var description: String { line > 0 ? "\(file):\(line):\(column): \(text)" : "\(file): \(text)" }
}

/// All that is wrong in a mapping, in the order of the files.
package struct MappingErrors: Error, Hashable, CustomStringConvertible {
    package var problems: [MappingProblem]

    package var description: String { problems.map(\.description).joined(separator: "\n") }
}
