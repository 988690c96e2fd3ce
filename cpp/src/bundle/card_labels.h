// Reads the labels of an output from a card: their names, and the emotions that they express.
#pragma once

#include <algorithm>
#include <cstddef>
#include <set>
#include <string>
#include <vector>

#include "bundle/card_fields.h"
#include "edgeemo/readout.h"

namespace edgeemo {

// `path` is for messages, as in card_fields.h.
inline std::vector<std::string> read_names(const Value& object, const std::string& path) {
    std::vector<std::string> names;
    const auto check = [&](bool good) {
        if (!good) invalid(path + " must be distinct names, at least one");
    };
    for (const Value& name : field(object, path, Kind::list).items) {
        check(name.is(Kind::text));
        names.push_back(name.text);
    }
    check(!names.empty() && std::set<std::string>(names.begin(), names.end()).size() == names.size());
    return names;
}

// The index of a label; `problem` says what to tell of an unknown one.
inline int label_of(const std::vector<std::string>& labels, const Value& name, const std::string& problem) {
    const auto found = std::find(labels.begin(), labels.end(), name.text);
    if (!name.is(Kind::text) || found == labels.end()) invalid(problem);
    return static_cast<int>(found - labels.begin());
}

// The labels of each emotion, in the order of kEmotionNames.
inline std::vector<std::vector<int>> read_groups(const Value& object, const std::string& path,
                                                 const std::vector<std::string>& labels) {
    const std::string problem = path + " must map known labels, each at most once";
    std::vector<std::vector<int>> groups(kEmotions);
    std::set<int> mapped;
    for (const auto& [emotion, members] : field(object, path, Kind::object).members) {
        const auto which = std::find(kEmotionNames.begin(), kEmotionNames.end(), emotion);
        if (which == kEmotionNames.end()) invalid(path + " has keys that are no emotions");
        if (!members.is(Kind::list)) invalid(problem);
        for (const Value& name : members.items) {
            const int label = label_of(labels, name, problem);
            if (!mapped.insert(label).second) invalid(problem);
            groups[static_cast<std::size_t>(which - kEmotionNames.begin())].push_back(label);
        }
    }
    if (mapped.empty()) invalid(problem);
    return groups;
}

}  // namespace edgeemo
