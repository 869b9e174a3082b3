import HTTPApplication
import HubDriver
import HubModel

/// How a system tells a long list in parts.
enum ListPaging: Sendable, Hashable {
    /// By the number of documents to leave out, `{offset}`; the first has this number.
    case offset(first: Int)
    /// By the page's number, `{page}`; the first has this one.
    case page(first: Int)
    /// By a text of the answer, `{cursor}`, that leads on.
    case cursor(Place)
    /// By an address in the answer.
    case link(Place)
    /// By the header `Link` with `rel="next"` (RFC 8288).
    case linkHeader
    /// By the last document's key, `{after}`.
    case after
    /// All in one answer.
    case none

    /// The variable that a path has to have.
    var variable: String? {
        switch self {
        case .offset: "offset"
        case .page: "page"
        case .cursor: "cursor"
        case .after: "after"
        case .link, .linkHeader, .none: nil
        }
    }

    /// Places are counted, so that they move where something before them goes.
    var isCounted: Bool { variable == "offset" || variable == "page" }
}

/// Where a walk through a list stands, as the text that the hub keeps.
struct PageCursor: Sendable, Hashable {
    /// Documents before this place of the list have been told, or stand before those that were; for counted lists.
    var place = 0
    /// The cursor, link or key that leads on; nil at the start.
    var token: String?
    /// What was told last: of counted lists that by which the place is found again, elsewhere that of the page which was not told whole.
    var told: [String] = []

    init() {}

    init(_ text: String) throws(DriverError) {
        guard let fields = try? JSONText.fields(text), let place = fields["place"]?.integer else {
            throw DriverError(.configuration, "\(text.prefix(40)) is no place in a list of this application.")
        }
        self.place = Int(place)
        token = fields["token"]?.text
        told = (fields["told"]?.array ?? []).compactMap(\.text)
    }

    var value: Value {
        var fields: Fields = ["place": .number(Number(Int64(place))), "told": .array(told.map { .string($0) })]
        if let token { fields["token"] = .string(token) }
        return .object(fields)
    }

    var text: String { JSONText.text(value) }
}

/// A walk through a list that changes meanwhile: what is asked next, and what of an answer is new.
///
/// A counted list moves where a document before the place goes or comes. Each request therefore begins some documents before the place,
/// and goes on behind the last document there that was told already. That holds as long as the list's order is stable.
struct PageWalk: Sendable {
    /// What is asked for.
    struct Request: Sendable, Hashable {
        var variables: [String: String]
        /// An address of the application's instead of the recipe's path.
        var link: String?
        /// The place of the first document in the answer, for counted lists.
        var first: Int
        /// Documents asked for: where fewer come, nothing follows.
        var size: Int
    }

    /// What an answer tells of the way on.
    struct Answer: Sendable {
        /// What documents are known by: their keys or, in a list by time, keys and times.
        var names: [String]
        /// The cursor or link; nil on the last page.
        var next: String?
    }

    enum Step: Sendable, Hashable {
        /// These documents of the answer are new, by their places; `isLast`: nothing follows.
        case tell([Int], isLast: Bool)
        /// Nothing of the answer is new: ask again.
        case again
        /// The list moved too far.
        case lost
    }

    private let paging: ListPaging
    /// Documents told at once.
    private let limit: Int
    /// The largest page that the application gives.
    private let most: Int
    private(set) var cursor: PageCursor
    /// How far back the next request goes.
    private var back: Int

    init(_ paging: ListPaging, limit: Int, most: Int, from cursor: PageCursor) {
        self.paging = paging
        // Pages of counted lists are larger than what is told of them, by what they overlap.
        self.limit = max(1, min(limit, paging.isCounted ? most / 4 : most))
        self.most = max(2, most)
        self.cursor = cursor
        back = Self.usualBack(self.limit)
    }

    private static func usualBack(_ limit: Int) -> Int { max(1, limit / 2) }

    /// Documents that are remembered of a counted list.
    private static let memory = 100

    var request: Request {
        var variables: [String: String] = [:]
        var first = 0
        var size = limit
        var link: String?
        switch paging {
        case .offset(let base):
            (first, size) = (max(0, cursor.place - overlap), min(most, limit + overlap))
            variables["offset"] = String(first + base)
        case .page(let base):
            size = pageSize
            first = cursor.place / size * size
            variables["page"] = String(first / size + base)
        case .cursor: variables["cursor"] = cursor.token
        case .after: variables["after"] = cursor.token
        case .link, .linkHeader: link = cursor.token
        case .none: break
        }
        variables["limit"] = String(size)
        return Request(variables: variables, link: link, first: first, size: size)
    }

    private var overlap: Int { cursor.told.isEmpty ? 0 : min(back, cursor.place) }

    /// Pages begin at multiples of their size: one is chosen for which the page with the place begins before it.
    private var pageSize: Int {
        let least = limit + overlap
        let sizes = least...max(least, min(most, 2 * least + 1))
        return sizes.first { cursor.place % $0 >= overlap } ?? sizes.max { cursor.place % $0 < cursor.place % $1 } ?? least
    }

    /// Takes the answer to ``request``, and moves on.
    mutating func take(_ answer: Answer) -> Step { paging.isCounted ? takeCounted(answer) : takeLinked(answer) }

    private mutating func takeCounted(_ answer: Answer) -> Step {
        let request = request
        let anchor = answer.names.lastIndex { cursor.told.contains($0) }
        guard cursor.told.isEmpty || anchor != nil else {
            // All that was told last is gone, or has moved before this answer.
            if request.first == 0 { return .lost }
            back = min(cursor.place, back * 2)
            return .again
        }
        back = Self.usualBack(limit)
        let start = anchor.map { $0 + 1 } ?? 0
        let new = Array((start..<answer.names.count).prefix(limit))
        cursor.place = request.first + start + new.count
        cursor.told = Array((cursor.told + new.map { answer.names[$0] }).suffix(Self.memory))
        let isLast = answer.names.count < request.size && start + new.count == answer.names.count
        return new.isEmpty && !isLast ? .again : .tell(new, isLast: isLast)
    }

    private mutating func takeLinked(_ answer: Answer) -> Step {
        let told = Set(cursor.told)
        let untold = answer.names.indices.filter { !told.contains(answer.names[$0]) }
        let new = Array(untold.prefix(limit))
        if new.count < untold.count {
            cursor.told += new.map { answer.names[$0] }
            return .tell(new, isLast: false)
        }
        let next: String? =
            switch paging {
            case .after: answer.names.count < limit ? nil : answer.next
            case .none: nil
            default: answer.next
            }
        cursor.told = []
        if next != nil, next == cursor.token { return .lost }
        cursor.token = next
        if new.isEmpty && next != nil { return .again }
        return .tell(new, isLast: next == nil)
    }
}
