import Testing

@testable import HubConfiguration

@Suite("Suggestions")
struct SuggestionTests {
    @Test(
        "find what a person probably meant",
        arguments: [
            ("drvier", "driver"), ("Owner", "owner"), ("onwerAfter", "ownerAfter"), ("creat", "create"), ("xyz", nil), ("", nil),
        ] as [(String, String?)])
    func nearest(_ word: String, _ expected: String?) {
        #expect(Suggestion.nearest(word, ["driver", "owner", "ownerAfter", "create", "creates", "delete"]) == expected)
    }

    @Test("count letters inserted, removed, replaced and swapped")
    func distance() {
        #expect(Suggestion.distance("abc", "abc") == 0)
        #expect(Suggestion.distance("abc", "acb") == 2)
        #expect(Suggestion.distance("abc", "ab") == 2)
        #expect(Suggestion.distance("abc", "aBc") == 1)
        #expect(Suggestion.distance("", "ab") == 4)
    }
}
