import NIOCore
import NIOEmbedded
import Testing

@testable import HTTPApplication

@Suite("Flushes of a turn")
struct FlushTests {
    private func bytes(_ channel: EmbeddedChannel) throws -> [String] {
        var texts: [String] = []
        while let part = try channel.readOutbound(as: ByteBuffer.self) { texts.append(String(buffer: part)) }
        return texts
    }

    @Test("What is written in one turn leaves with its end, in order")
    func turn() throws {
        let channel = EmbeddedChannel()
        try channel.pipeline.syncOperations.addHandler(FlushOncePerTurn(), position: .first)
        channel.writeAndFlush(ByteBuffer(string: "head"), promise: nil)
        channel.writeAndFlush(ByteBuffer(string: "body"), promise: nil)
        #expect(try bytes(channel) == [])
        channel.embeddedEventLoop.run()
        #expect(try bytes(channel) == ["head", "body"])
        channel.writeAndFlush(ByteBuffer(string: "next"), promise: nil)
        channel.embeddedEventLoop.run()
        #expect(try bytes(channel) == ["next"])
        _ = try channel.finish()
    }

    @Test("Nothing is written without a flush, and nothing is lost when the connection is closed")
    func end() throws {
        let channel = EmbeddedChannel()
        try channel.pipeline.syncOperations.addHandler(FlushOncePerTurn(), position: .first)
        channel.write(ByteBuffer(string: "later"), promise: nil)
        channel.embeddedEventLoop.run()
        #expect(try bytes(channel) == [])
        channel.flush()
        channel.close(promise: nil)
        #expect(try bytes(channel) == ["later"])
        channel.embeddedEventLoop.run()
        #expect(try bytes(channel) == [])
    }
}
