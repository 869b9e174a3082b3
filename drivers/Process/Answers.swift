import HubDriver
import HubModel

/// What the calls' results are made of.
enum Answers {
    static func document(_ shape: Shape) throws(Shape.Mismatch) -> NativeDocument {
        NativeDocument(
            key: NativeKey(try shape.member("key").name()), token: try token(shape), stamp: try position(shape, "stamp"),
            reference: try reference(shape), isDeleted: try shape.optional("deleted")?.bool() ?? false,
            fields: try shape.member("fields").fields())
    }

    /// One delivery's answer.
    static func answer(_ shape: Shape) throws(Shape.Mismatch) -> Answer {
        let kind = try shape.member("kind").text()
        switch kind {
        case "written": return .written(try document(try shape.member("document")))
        case "unchanged": return .unchanged(try document(try shape.member("document")))
        case "rejected": return .rejected(try rejection(shape))
        case "retry":
            let wait = try shape.member("afterMilliseconds").integer(0...86_400_000)
            return .retry(after: .milliseconds(wait), reason: try shape.member("reason").text())
        case "later":
            let wait = try shape.member("afterMilliseconds").integer(0...86_400_000)
            return .later(after: .milliseconds(wait), reason: try shape.member("reason").text())
        case "changed": return .changed
        case "gone": return .gone
        case "noAnswer": return .noAnswer(reason: try shape.member("reason").text())
        default:
            throw Shape.Mismatch(
                text: "\(shape.place).kind has to be written, unchanged, rejected, retry, later, changed, gone or noAnswer, not "
                    + excerpt(kind.utf8, 60))
        }
    }

    private static func rejection(_ shape: Shape) throws(Shape.Mismatch) -> Rejection {
        Rejection(rule: try shape.member("rule").name(), field: try shape.optional("field")?.text(), text: try shape.member("text").text())
    }

    /// The reply to a question.
    static func reply(_ shape: Shape) throws(Shape.Mismatch) -> FunctionReply {
        let kind = try shape.member("kind").text()
        switch kind {
        case "says":
            return .says(try shape.member("fields").fields(), asOf: Instant(milliseconds: try shape.member("asOf").integer()))
        case "refused": return .refused(try rejection(shape))
        case "cannotSay": return .cannotSay(reason: try shape.member("reason").text())
        default:
            throw Shape.Mismatch(text: "\(shape.place).kind has to be says, refused or cannotSay, not \(excerpt(kind.utf8, 60))")
        }
    }

    static func page(_ shape: Shape) throws(Shape.Mismatch) -> Page {
        var documents: [NativeDocument] = []
        for element in try shape.member("documents").array() { documents.append(try document(element)) }
        return Page(documents: documents, next: try shape.optional("next")?.text())
    }

    static func captured(_ shape: Shape, atMost limit: Int) throws(Shape.Mismatch) -> CapturedBatch {
        var changes: [CapturedChange] = []
        let count = try shape.member("changes").array().count
        if count > limit { throw Shape.Mismatch(text: "\(count) changes came, and at most \(limit) were asked for") }
        for element in try shape.member("changes").array() { changes.append(try change(element)) }
        let position = try shape.optional("position")?.text()
        if position == nil, !changes.isEmpty { throw Shape.Mismatch(text: "position is missing, and there are changes before it") }
        var notices: [String] = []
        for element in try shape.optional("notices")?.array() ?? [] { notices.append(try element.text()) }
        return CapturedBatch(changes: changes, position: position, notices: notices)
    }

    private static func change(_ shape: Shape) throws(Shape.Mismatch) -> CapturedChange {
        let operation: ChangeEvent.Operation
        switch try shape.member("operation").text() {
        case "upsert": operation = .upsert
        case "delete": operation = .delete
        case "snapshot": operation = .snapshot
        default: throw Shape.Mismatch(text: "\(shape.place).operation has to be upsert, delete or snapshot")
        }
        let time = try shape.optional("time")?.integer()
        let event = ChangeEvent(
            id: try shape.optional("id")?.text() ?? "", type: try shape.member("native").name(), operation: operation,
            key: NativeKey(try shape.member("key").name()), position: try position(shape, "position"), token: try token(shape),
            time: time.map { Instant(milliseconds: $0) }, reference: try reference(shape),
            company: try shape.optional("company")?.text())
        let fields = try shape.optional("fields")?.fields()
        if fields == nil, operation != .delete { throw Shape.Mismatch(text: "\(shape.place).fields is missing") }
        return CapturedChange(event: event, fields: fields)
    }

    static func identity(_ shape: Shape) throws(Shape.Mismatch) -> ApplicationIdentity {
        var details: [String] = []
        for detail in try shape.optional("details")?.array() ?? [] { details.append(try detail.text()) }
        return ApplicationIdentity(
            instance: try shape.member("instance").name(), version: try shape.member("version").text(), details: details)
    }

    private static func token(_ shape: Shape) throws(Shape.Mismatch) -> VersionToken? {
        try shape.optional("token").map { (inner) throws(Shape.Mismatch) in VersionToken(try inner.name()) }
    }

    private static func reference(_ shape: Shape) throws(Shape.Mismatch) -> CanonicalID? {
        try shape.optional("reference").map { (inner) throws(Shape.Mismatch) in CanonicalID(try inner.name()) }
    }

    /// A whole number, or `{"major": 3, "minor": 7}`.
    private static func position(_ shape: Shape, _ name: String) throws(Shape.Mismatch) -> SourcePosition? {
        guard let inner = try shape.optional(name) else { return nil }
        if inner.value.object == nil { return SourcePosition(minor: try inner.integer()) }
        return SourcePosition(major: try inner.member("major").integer(), minor: try inner.member("minor").integer())
    }
}
