import HubDriver
import HubModel

/// What the calls' parameters are made of. Members that are nil are left out.
enum Questions {
    static func delivery(_ delivery: Delivery) -> Value {
        var fields: Fields = [
            "operation": .string(delivery.operation.rawValue), "native": .string(delivery.native),
            "reference": .string(delivery.reference.rawValue), "fields": .object(delivery.fields),
            "version": [
                "generation": .number(Number(Int64(delivery.version.generation))),
                "number": .number(Number(Int64(delivery.version.number))),
            ],
        ]
        fields["company"] = delivery.company.map { .string($0) }
        fields["key"] = delivery.key.map { .string($0.rawValue) }
        if let expected = delivery.expected {
            var inner: Fields = ["fields": .object(expected.fields)]
            inner["token"] = expected.token.map { .string($0.rawValue) }
            fields["expected"] = .object(inner)
        }
        return .object(fields)
    }

    static func lookUp(_ question: LookUp) -> Value {
        var fields: Fields = ["native": .string(question.native), "reference": .string(question.reference.rawValue)]
        fields["company"] = question.company.map { .string($0) }
        return .object(fields)
    }

    static func read(_ question: ReadRequest) -> Value {
        var fields: Fields = ["native": .string(question.native), "key": .string(question.key.rawValue)]
        fields["company"] = question.company.map { .string($0) }
        return .object(fields)
    }

    static func question(_ question: Question) -> Fields {
        var fields: Fields = ["function": .string(question.function), "arguments": .object(question.arguments)]
        fields["company"] = question.company.map { .string($0) }
        return fields
    }

    /// A whole call, its line break included.
    static func line(_ id: Int64, _ method: Method, _ params: Fields) -> [UInt8] {
        let call: Value = [
            "jsonrpc": "2.0", "id": .number(Number(id)), "method": .string(method.rawValue), "params": .object(params),
        ]
        // The writer escapes control characters, so that a line break can only be the end of the call.
        return JSONText.bytes(call) + [0x0A]
    }
}
