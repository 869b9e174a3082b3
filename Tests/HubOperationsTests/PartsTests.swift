import HubBus
import HubConfiguration
import HubDriver
import HubModel
import HubStore
import NIOHTTP1
import ReferenceCRM
import ReferenceERP
import Testing

@testable import HubOperations

struct PartsTests {
    @Test func secretsAreComparedWhole() {
        #expect(BearerTokens.isSame("secret".utf8, "secret".utf8))
        for other in ["secres", "tecret", "secre", "secret1", ""] { #expect(!BearerTokens.isSame("secret".utf8, other.utf8), "\(other)") }
        let tokens = BearerTokens(tokens: [.init(name: "a", secret: "one"), .init(name: "b", secret: "two")])
        #expect(tokens.holder(of: "two".utf8)?.name == "b")
        #expect(tokens.holder(of: "three".utf8) == nil)
    }

    @Test func theWindowForgetsItsOldest() throws {
        let store = MemoryStore()
        var seen = SeenEvents("crm", capacity: 2)
        for id in ["1", "2", "3"] {
            let identity = EventIdentity(source: "/s", id: id)
            #expect(seen.begin(identity) == .new)
            #expect(seen.begin(identity) == .underWay)
            let notes = seen.keep(identity)
            #expect(seen.begin(identity) == .known)
            try store.write { store in for note in notes { try store.putNote(note.text, note.name) } }
        }
        #expect(seen.begin(EventIdentity(source: "/s", id: "1")) == .new, "forgotten")
        seen.giveUp(EventIdentity(source: "/s", id: "1"))

        var loaded = try store.write { store in
            var fresh = SeenEvents("crm", capacity: 2)
            try fresh.load(store)
            return fresh
        }
        #expect(loaded.begin(EventIdentity(source: "/s", id: "2")) == .known)
        #expect(loaded.begin(EventIdentity(source: "/s", id: "3")) == .known)
        #expect(loaded.begin(EventIdentity(source: "/s", id: "1")) == .new)
        _ = loaded.keep(EventIdentity(source: "/s", id: "1"))
        #expect(loaded.begin(EventIdentity(source: "/s", id: "2")) == .new, "the oldest made room")
        #expect(loaded.begin(EventIdentity(source: "/t", id: "3")) == .new, "of another source")
    }

    @Test func whatCouldNotBeSentIsNewAgain() {
        var seen = SeenEvents("crm")
        let identity = EventIdentity(source: "/s", id: "1")
        #expect(seen.begin(identity) == .new)
        seen.giveUp(identity)
        #expect(seen.begin(identity) == .new)
    }
}
