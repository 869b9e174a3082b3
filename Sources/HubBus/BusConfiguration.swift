import CRdKafka
package import Logging

/// How to reach Kafka: librdkafka's properties by their own names (`bootstrap.servers`, `security.protocol`, `sasl.password`, …).
///
/// Every property is handed through as it is, to consumers and producers alike, except those that the hub's promises stand on
/// (`reservedNames`). Values of secret properties never appear in an error, a log line or a description.
package struct BusConfiguration: Sendable {
    /// One property of librdkafka.
    package struct Property: Sendable, Hashable, CustomStringConvertible {
        package var name: String
        package var value: String

        package init(name: String, value: String) {
            self.name = name
            self.value = value
        }

        /// Whether its value must not be shown.
        package var isSecret: Bool {
            let name = name.lowercased()
            return ["password", "secret", "jaas", ".pem", "oauthbearer.config"].contains { name.contains($0) }
                && !name.hasSuffix("certificate.pem") && !name.hasSuffix("ca.pem")
        }

        package var description: String { "\(name)=\(isSecret ? "(hidden)" : value)" }
    }

    /// In the order in which they are set; a later one of the same name wins.
    package var properties: [Property]
    /// Where what librdkafka has to say is logged.
    package var logger: Logger

    package init(properties: [Property], logger: Logger = Logger(label: "multipoint.bus")) {
        self.properties = properties
        self.logger = logger
    }

    /// Properties from a dictionary, set in the order of their names.
    package init(_ properties: [String: String], logger: Logger = Logger(label: "multipoint.bus")) {
        self.init(
            properties: properties.sorted { $0.key < $1.key }.map { Property(name: $0.key, value: $0.value) }, logger: logger)
    }

    /// The value that counts for a property; nil where it is not set.
    package subscript(name: String) -> String? {
        get { properties.last { $0.name == name }?.value }
        set {
            properties.removeAll { $0.name == name }
            if let newValue { properties.append(Property(name: name, value: newValue)) }
        }
    }

    /// Properties that the hub sets itself, because what it promises depends on them.
    package static let reservedNames: Set<String> = [
        "group.id", "enable.auto.commit", "auto.commit.enable", "enable.auto.offset.store", "auto.offset.reset",
        "enable.partition.eof", "enable.idempotence", "acks", "request.required.acks", "transactional.id", "partitioner",
    ]

    /// Every mistake in the properties, in their order; empty if a consumer and a producer can be made of them.
    ///
    /// No connection is opened: properties are checked one by one, then a consumer and a producer without any address are made.
    package func validate() -> [BusError] {
        var mistakes: [BusError] = []
        let probe = ClientConfiguration()
        for property in properties {
            do throws(BusError) {
                try Self.refuseReserved(property)
                try probe.set(property)
            } catch {
                mistakes.append(error)
            }
        }
        if self["bootstrap.servers"] == nil, self["metadata.broker.list"] == nil {
            mistakes.append(BusError(.configuration, "bootstrap.servers: missing"))
        }
        guard mistakes.isEmpty else { return mistakes }
        // Contradictions between properties show only when a client is made. Without an address it connects to nothing.
        var offline = self
        offline["bootstrap.servers"] = nil
        offline["metadata.broker.list"] = nil
        for kind in [Client.Kind.consumer, .producer] {
            do throws(BusError) {
                let own = kind == .consumer ? ConsumerCore.properties(group: "check") : ProducerCore.properties(transactionalID: nil)
                try Client(kind, offline, own: own, context: ClientContext(logger: logger)).destroy()
            } catch {
                if !mistakes.contains(where: { $0.message == error.message }) { mistakes.append(error) }
            }
        }
        return mistakes
    }

    static func refuseReserved(_ property: Property) throws(BusError) {
        if reservedNames.contains(property.name) {
            throw BusError(.configuration, "\(property.name): the hub sets this property itself; leave it out")
        }
    }
}

/// A librdkafka configuration object, destroyed unless a client takes it over.
struct ClientConfiguration: ~Copyable {
    let pointer: OpaquePointer

    init() { pointer = rd_kafka_conf_new() }

    deinit { rd_kafka_conf_destroy(pointer) }

    /// Sets one property; the error names it and gives librdkafka's text, without the value if that is a secret.
    func set(_ property: BusConfiguration.Property) throws(BusError) {
        var text = [CChar](repeating: 0, count: 512)
        let result = rd_kafka_conf_set(pointer, property.name, property.value, &text, text.count)
        guard result != RD_KAFKA_CONF_OK else { return }
        let reason = property.isSecret ? "not accepted (text withheld, as the value is a secret)" : String(terminated: text)
        let unknown = result == RD_KAFKA_CONF_UNKNOWN
        throw BusError(.configuration, unknown ? "\(property.name): no such property" : "\(property.name): \(reason)")
    }

    /// Makes a client of this configuration, which belongs to the client from then on.
    consuming func makeClient(_ type: rd_kafka_type_t) throws(BusError) -> OpaquePointer {
        var text = [CChar](repeating: 0, count: 512)
        guard let client = rd_kafka_new(type, pointer, &text, text.count) else {
            _ = consume self
            throw BusError(.configuration, String(terminated: text))
        }
        discard self
        return client
    }
}
