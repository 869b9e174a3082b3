package import HubModel

/// A JSON Schema (draft 2020-12), compiled once and then asked for every document.
///
/// Nothing is fetched: references lead to the schema itself, to `resources`, or to the draft's own meta-schemas, or the schema is refused.
/// The work for one document is bounded in depth and in steps; a document that exceeds these is reported as a violation.
package struct SchemaValidator: Sendable {
    private let program: SchemaProgram

    /// - Parameters:
    ///   - schema: an object or a truth value.
    ///   - uri: the schema's own address, to which its relative references refer where it has no `$id`.
    ///   - resources: other schemas by their address without a fragment.
    ///   - assertsFormat: whether `format` is a rule; otherwise it is a remark only, unless the schema's own meta-schema demands it.
    package init(
        schema: Value, uri: String = "", resources: [String: Value] = [:], assertsFormat: Bool = false
    ) throws(SchemaError) {
        var compiler = SchemaCompiler(assertsFormat: assertsFormat)
        program = try compiler.compile(schema, uri: uri, resources: resources)
    }

    /// What the schema does not allow in this document, at most ``maxViolations``; empty for a valid one.
    package func validate(_ value: Value) -> [SchemaViolation] {
        var run = SchemaRun(program: program, isReporting: true)
        run.start(value)
        return run.violations
    }

    /// Whether the document is valid; cheaper than ``validate(_:)`` for invalid ones.
    package func accepts(_ value: Value) -> Bool {
        var run = SchemaRun(program: program, isReporting: false)
        return run.start(value)
    }

    /// More violations than this are not collected.
    package static let maxViolations = 100
}
