import HTTPApplication
import Testing

@testable import REST

@Suite("REST: lists in parts")
struct PageWalkTests {
    /// A list that is asked by place, and changes between requests.
    private func walked(
        _ paging: ListPaging, limit: Int, most: Int = 100, _ list: [String], change: (inout [String], Int) -> Void
    ) throws -> (told: [String], requests: Int) {
        var list = list
        var cursor = PageCursor()
        var told: [String] = []
        var requests = 0
        while requests < 1000 {
            var walk = PageWalk(paging, limit: limit, most: most, from: try PageCursor(cursor.text))
            var step = PageWalk.Step.again
            var names: [String] = []
            while step == .again, requests < 1000 {
                requests += 1
                let request = walk.request
                #expect(request.size <= most)
                names = Array(list.dropFirst(request.first).prefix(request.size))
                if case .page(let base) = paging {
                    // What the variables say is what the walk believes.
                    let page = try #require(request.variables["page"].flatMap { Int($0) })
                    #expect((page - base) * request.size == request.first)
                }
                step = walk.take(.init(names: names, next: nil))
            }
            guard case .tell(let new, let isLast) = step else { throw Lost() }
            #expect(new.count <= limit)
            told += new.map { names[$0] }
            if isLast { return (told, requests) }
            cursor = walk.cursor
            change(&list, requests)
        }
        throw Lost()
    }

    private struct Lost: Error {}

    @Test(
        "Every document comes once", arguments: [ListPaging.offset(first: 0), .offset(first: 1), .page(first: 1), .page(first: 0)],
        [1, 2, 5, 7])
    func whole(paging: ListPaging, limit: Int) throws {
        for count in [0, 1, 4, 5, 23, 60] {
            let list = (0..<count).map { "d\($0)" }
            #expect(try walked(paging, limit: limit, list) { _, _ in }.told == list)
        }
    }

    @Test(
        "Documents that go and come before the place move nothing", arguments: [ListPaging.offset(first: 0), .page(first: 1)], [2, 3, 5, 8])
    func moving(paging: ListPaging, limit: Int) throws {
        let list = (0..<80).map { "d\($0)" }
        var added = 0
        let told = try walked(paging, limit: limit, list) { list, round in
            // A document near the place goes in most rounds, one comes at the front in others, and new ones come at the end.
            if round % 3 != 0, let place = list.indices.first(where: { !list[$0].hasPrefix("n") && list[$0] != "d79" }) {
                list.remove(at: place)
            }
            if round % 4 == 0 { list.insert("n\(round)", at: 0) }
            if added < 5 {
                list.append("e\(added)")
                added += 1
            }
        }.told
        #expect(Set(told).count == told.count)
        #expect(told.contains("d79") && told.contains("e0"))
        // What stood behind every deletion was there all the time.
        #expect((60..<80).allSatisfy { told.contains("d\($0)") })
    }

    @Test("A page that is longer than asked is told in parts, and a link that leads to itself is found out")
    func linked() throws {
        var walk = PageWalk(.link(Place("next")), limit: 2, most: 100, from: PageCursor())
        let names = ["a", "b", "c"]
        #expect(walk.take(.init(names: names, next: "/2")) == .tell([0, 1], isLast: false))
        #expect(walk.request.link == nil)
        #expect(walk.take(.init(names: names, next: "/2")) == .tell([2], isLast: false))
        #expect(walk.request.link == "/2")
        #expect(walk.take(.init(names: ["d"], next: "/2")) == .lost)
        var after = PageWalk(.after, limit: 2, most: 100, from: PageCursor())
        #expect(after.take(.init(names: ["a", "b"], next: "b")) == .tell([0, 1], isLast: false))
        #expect(after.request.variables["after"] == "b")
        #expect(after.take(.init(names: ["c"], next: "c")) == .tell([0], isLast: true))
    }

    @Test("The header Link leads on")
    func linkHeader() {
        #expect(RESTDriver.next([.init("Link", "<https://x/1>; rel=\"prev\", <https://x/3?a=1,2>; rel=\"next\"")]) == "https://x/3?a=1,2")
        #expect(RESTDriver.next([.init("link", "</4>; title=x; rel=next")]) == "/4")
        #expect(RESTDriver.next([.init("Link", "</4>; rel=last")]) == nil)
    }
}
