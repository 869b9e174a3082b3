import HubDelivery
import HubDriver
import HubModel
import HubRules

/// A call to an application: in the air → effective (or lost) → answered (or timed out, and then maybe effective still).
final class SimulatedCall {
    enum State {
        case inTheAir, done, lost
    }

    let number: Int
    let call: DeliveryCall
    let sent: Int64
    /// *Heard* when it was decided, native: for the checker.
    let heard: Fields
    var state = State.inTheAir
    var result: DeliveryReply?
    /// What the hub is told; nil while it waits.
    var answer: DeliveryReply?

    init(number: Int, call: DeliveryCall, sent: Int64, heard: Fields) {
        self.number = number
        self.call = call
        self.sent = sent
        self.heard = heard
    }

    var isWrite: Bool { if case .apply = call.kind { true } else { false } }

    /// What the hub is told where no answer comes in time.
    var timeOut: DeliveryReply { isWrite ? .answer(.noAnswer(reason: "timed out")) : .unreachable }
}

extension SimulatedApplication {
    /// The call takes effect.
    func carryOut(_ call: SimulatedCall, in world: World) throws -> DeliveryReply {
        switch call.call.kind {
        case .lookUp(let question):
            return .documents(keys.filter { documents[$0]?.reference == question.reference }.compactMap(told))
        case .read(let question):
            return .document(told(question.key))
        case .apply(let delivery):
            return .answer(try apply(delivery, call, in: world))
        }
    }

    private func told(_ key: NativeKey) -> NativeDocument? {
        guard let document = documents[key] else { return nil }
        return NativeDocument(
            key: key, token: hasToken ? VersionToken("\(document.token)") : nil, stamp: SourcePosition(minor: document.position),
            reference: tellsReference ? document.reference : nil, isDeleted: document.isDeleted, fields: document.state)
    }

    private func apply(_ delivery: Delivery, _ call: SimulatedCall, in world: World) throws -> Answer {
        let author = Author.hub(call.number)
        guard let key = delivery.key else {
            if createIsRepeatable, let known = keys.first(where: { documents[$0]?.reference == delivery.reference }) {
                return told(known).map { .unchanged($0) } ?? .gone
            }
            let key = add(delivery.native, reference: delivery.reference)
            _ = commit(key, delivery.fields, author, in: world)
            return told(key).map { .written($0) } ?? .gone
        }
        guard let document = documents[key] else { return .gone }
        // Without a token nothing stops a write whose document changed between its read and its effect: the manifest's window.
        if !hasToken, let heard = call.call.heard, heard.minor < document.position { world.unguarded.insert(call.number) }
        if hasToken, delivery.expected?.token?.rawValue != "\(document.token)", world.options.planted != .writeWholeDocument {
            return .changed
        }
        if document.isDeleted { return .gone }
        for field in delivery.fields {
            let value = normal(field.name, field.value)
            if value != document.state[field.name], let heard = call.heard[field.name], value == normal(field.name, heard) {
                throw Violation(
                    invariant: 6,
                    text: "needless cover of \(key).\(field.name)=\(document.state[field.name]?.text ?? "-") by \(value.text ?? "-")")
            }
        }
        _ = commit(key, delivery.fields, author, deletes: delivery.operation == .delete, in: world)
        return told(key).map { .written($0) } ?? .gone
    }
}
