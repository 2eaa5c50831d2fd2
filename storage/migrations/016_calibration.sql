-- How large a slide's pixels are where somebody measured a known length on it: its file does not say, or says wrong. Valid for everybody.
CREATE TABLE slide_calibrations (
    file_id TEXT NOT NULL PRIMARY KEY REFERENCES files (id),
    mpp_pm BIGINT NOT NULL,                 -- picometres per pixel of the full size, as it is pictured (pixels are square)
    author_id TEXT NOT NULL REFERENCES users (id),
    at_ms BIGINT NOT NULL
);
