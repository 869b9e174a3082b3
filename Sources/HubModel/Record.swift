/// One Kafka record as it stands in a topic: bytes, untouched.
///
/// `key` and `value` are nil where the record has none (a nil value is a tombstone); an empty array is a present, empty one.
/// Headers keep their order and may repeat.
public struct Record: Sendable, Hashable {
    /// A record header: its value is nil where the producer sent none.
    public struct Header: Sendable, Hashable {
        public var name: String
        public var value: [UInt8]?

        public init(name: String, value: [UInt8]?) {
            self.name = name
            self.value = value
        }

        /// A header whose value is UTF-8 text.
        public init(_ name: String, _ text: String) {
            self.init(name: name, value: Array(text.utf8))
        }
    }

    public var topic: String
    public var partition: Int32
    /// The record's place in its partition; -1 for a record that has not been produced yet.
    public var offset: Int64
    /// Broker or producer time in milliseconds since 1970; nil where the record carries none.
    public var timestamp: Int64?
    public var key: [UInt8]?
    public var value: [UInt8]?
    public var headers: [Header]

    public init(
        topic: String, partition: Int32 = 0, offset: Int64 = -1, timestamp: Int64? = nil,
        key: [UInt8]? = nil, value: [UInt8]? = nil, headers: [Header] = []
    ) {
        self.topic = topic
        self.partition = partition
        self.offset = offset
        self.timestamp = timestamp
        self.key = key
        self.value = value
        self.headers = headers
    }

    /// The last header of that name as UTF-8 text (the last one wins, as Kafka's own clients have it); nil where absent or not UTF-8.
    public func header(_ name: String) -> String? {
        headers.last { $0.name == name }?.value.flatMap { String(validating: $0, as: UTF8.self) }
    }

    /// Bytes that the record occupies, roughly: what bounds queues that hold records.
    public var size: Int {
        headers.reduce((key?.count ?? 0) + (value?.count ?? 0) + 96) { $0 + $1.name.utf8.count + ($1.value?.count ?? 0) }
    }
}
